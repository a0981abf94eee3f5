"""What a data set holds besides what it should: copies, the same picture under two classes, images of nothing."""
