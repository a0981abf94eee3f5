"""What a training minimises: from a model's output and a batch to a loss. A method is one file here, one in losses."""
