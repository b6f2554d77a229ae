"""PromQL's operators of arithmetic between two numbers, which are floats as in Prometheus."""

import math

OPERATORS = frozenset(["+", "-", "*", "/", "%", "^", "atan2"])


def of_numbers(op: str, left: float, right: float) -> float:
    """`left op right`: NaN where there is no number, infinities with their sign.

    Raises ValueError for what is no operator of arithmetic.
    """
    try:
        match op:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
            case "/":
                return left / right
            case "%":
                return math.fmod(left, right)
            case "^":
                return math.pow(left, right)
            case "atan2":
                return math.atan2(left, right)
    except ZeroDivisionError:
        same = math.isnan(left) or left == 0
        return math.nan if same else math.copysign(math.inf, left) * math.copysign(1.0, right)
    except OverflowError:
        odd = left < 0 and right % 2 == 1
        return -math.inf if odd else math.inf
    except ValueError:
        if op == "^" and left == 0:
            odd = right % 2 == 1
            return math.copysign(math.inf, left) if odd else math.inf
        return math.nan
    raise ValueError(f"{op} is no arithmetic operator")
