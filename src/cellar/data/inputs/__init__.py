"""What trainings and evaluations read: prepared images, their classes, and how an image becomes a model's input."""
