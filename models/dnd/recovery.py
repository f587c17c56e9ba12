"""The laws of DnD: time of one function, of the parameters, and the chance that all comes back."""

import numpy as np

from dse.spec import Array

from .config import GIVEN


def operator_time(*, coefficient: Array, instructions: Array, loops: Array) -> Array:
    r"""Symbolic execution of one function at the first attempt, $\kappa (I L)^x$ [derived].

    >>> round(float(operator_time(coefficient=0.0356, instructions=443, loops=6)), 1)
    458.1
    """
    work: Array = np.power(instructions * loops, GIVEN("exponent"))
    return coefficient * work


def attempts(*, failure: Array) -> Array:
    r"""Attempts until one succeeds, $1 / (1 - p)$, as failures start again for ever [derived].

    >>> float(attempts(failure=0.5))
    2.0
    """
    return 1 / (1 - failure)


def parameter_time(
    *, parameters: Array, solve_time: Array, functions: Array, bulk: Array
) -> Array:
    r"""Reading the parameters: $c N$, or in bulk $c \min(N, 5 n) + t_{read} N$ [derived].

    `bulk` 1 solves the address of each of `functions` once and then strides through the weights.

    >>> float(parameter_time(parameters=1e6, solve_time=1.32e-3, functions=1, bulk=0))
    1320.0
    """
    solved = np.minimum(parameters, GIVEN("coefficients") * functions)
    strided = solve_time * solved + GIVEN("read_time") * parameters
    return np.where(np.greater(bulk, 0), strided, solve_time * parameters)


def recovery_probability(*, support: Array, types: Array) -> Array:
    r"""Chance that every type of operator is supported, $q^n$ [derived].

    >>> round(float(recovery_probability(support=0.974, types=6)), 6)
    0.853795
    """
    found: Array = np.power(support, types)
    return found


def correctness_bound(*, successes: Array, miss: Array) -> Array:
    r"""Least success rate that k of k successes leave, $\alpha^{1/k}$, `miss` $\alpha$ [derived].

    >>> round(float(correctness_bound(successes=15, miss=0.05)), 3)
    0.819
    """
    found: Array = np.power(miss, 1 / successes)
    return found
