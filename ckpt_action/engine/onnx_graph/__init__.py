"""ONNX: conversion from our frozen graph, canonical files, and the artifact run by ONNX Runtime."""
