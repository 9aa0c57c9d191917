"""TFLite: conversion from our SavedModel, and the artifact run by LiteRT."""
