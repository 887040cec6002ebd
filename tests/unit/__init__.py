"""Tests of the parts that need no program but the interpreter."""
