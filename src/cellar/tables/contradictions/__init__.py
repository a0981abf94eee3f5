"""Where a paper contradicts itself, its code or arithmetic: found by checks of its printed values, one file a kind.

A check is a function of a `Paper` that yields findings; what it finds follows from the values, and none is typed.
"""
