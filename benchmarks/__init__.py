"""Benchmarks: this project's helpers beside those that people use today, on one machine in one go."""
