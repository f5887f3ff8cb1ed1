"""Estimates of a stage's cost, idle and per image, from tables of prices and assumptions."""
