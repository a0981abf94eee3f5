"""Faces in images: YuNet by OpenCV, whose model file is carried here (LICENSE.yunet), and the crops that students
take."""
