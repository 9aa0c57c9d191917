import cv2_of_nobody  # noqa: F401
