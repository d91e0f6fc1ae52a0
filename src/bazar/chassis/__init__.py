"""What any service of this kind needs and no book store in particular."""
