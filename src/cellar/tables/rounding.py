"""Whether a printed value is another one, rounded or cut off to its digits."""

HALF = 0.5 + 1e-6  # of the last printed digit, with room for binary fractions


def agrees(value: float, printed: float, digits: int) -> bool:
    """Whether `printed` is `value` rounded to so many digits; a half may go either way."""
    return abs(value - printed) * 10.0**digits <= HALF


def cut(value: float, digits: int) -> float:
    """Without the digits that follow, not rounded."""
    return int(value * 10.0**digits + 1e-9) / 10.0**digits


def is_millions(printed: str, count: float) -> bool:
    """Whether a count is what `23.5M` or `<25M` stands for, rounded or cut off."""
    bound = printed.removesuffix("M")
    if bound.startswith("<"):
        return count < float(bound[1:]) * 1e6
    digits = len(bound.partition(".")[2])
    return agrees(count / 1e6, float(bound), digits) or cut(count / 1e6, digits) == float(bound)
