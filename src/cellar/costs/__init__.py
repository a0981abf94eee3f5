"""What trainings cost: time, memory, and what the teacher computes for them."""
