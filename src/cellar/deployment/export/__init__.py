"""Students as ONNX files: written, evaluated, timed and described."""
