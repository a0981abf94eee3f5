"""Students as files for use: ONNX export and its evaluation, faces in images and video, timelines. See
docs/using.md."""
