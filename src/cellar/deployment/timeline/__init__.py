"""`cellar timeline`: what a student says of one person's face over a video, as a page and a CSV."""
