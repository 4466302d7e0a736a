"""The vocabulary of the house: what passes between its rooms. Imports nothing of ours."""
