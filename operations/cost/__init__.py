"""What a stage costs: while nobody uses it, and by the image. Arithmetic over two tables of figures."""
