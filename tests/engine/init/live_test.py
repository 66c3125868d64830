#!/usr/bin/env python3
"""Compares initializers with the PyTorch of this machine, bit for bit: random shapes, types, seeds and arguments.

  live_test.py <draw_initializers>

Orthogonal tensors are equal only because both programs use this machine's LAPACK and BLAS. Exits with 77, a skip,
where there is no PyTorch 1.13.
"""
import json
import random
import subprocess
import sys
import warnings

try:
    import torch
except ImportError:
    torch = None
if torch is None or not torch.__version__.startswith("1.13"):
    print("NOT COMPARED with PyTorch: 1.13 is not here")
    sys.exit(77)

import make_goldens as goldens

SEQUENCES = 60
STEPS = 12


def random_shape(rng, init):
    if init == "eye":
        return [rng.randint(1, 40) for _ in range(2)]
    if init == "dirac":
        return [6 * rng.randint(1, 3), *(rng.randint(1, 7) for _ in range(rng.randint(2, 4)))]
    if init == "orthogonal":
        return [rng.choice([1, 2, 5, 16, 33, 64, 130, 300]),
                *(rng.randint(1, 12) for _ in range(rng.randint(1, 3)))]
    if rng.random() < 0.5:
        return [rng.randint(1, 6), rng.randint(1, 6)]
    return [rng.randint(1, 50), rng.randint(1, 50), rng.randint(1, 3)]


def random_arguments(rng, init):
    ends = sorted(rng.uniform(-3, 3) for _ in range(2))
    if init == "constant":
        return {"val": rng.uniform(-100, 100)}
    if init == "uniform":
        return {"a": ends[0], "b": ends[1]}
    if init == "normal":
        return {"mean": rng.uniform(-2, 2), "std": rng.uniform(0, 3)}
    if init == "trunc_normal":
        return {"mean": rng.uniform(-2, 2), "std": rng.uniform(0.01, 3), "a": ends[0], "b": ends[1]}
    if init in ("xavier_uniform", "xavier_normal"):
        return {"gain": rng.uniform(0, 3)}
    if init == "orthogonal":
        return {"gain": rng.uniform(-3, 3)}
    if init in ("kaiming_uniform", "kaiming_normal"):
        return goldens.kaiming(rng.uniform(-3, 3), rng.choice(["fan_in", "fan_out"]),
                               rng.choice(goldens.NONLINEARITIES))
    if init == "dirac":
        return {"groups": rng.choice([1, 2, 3])}
    return {}


def random_sequence(rng):
    dtype = rng.choice(list(goldens.TYPES))
    inits = sorted({init for init, _, _ in goldens.STEPS if (init, dtype) not in goldens.REFUSED})
    steps = []
    for _ in range(STEPS):
        init = rng.choice(inits)
        steps.append({"init": init, "shape": random_shape(rng, init), **random_arguments(rng, init)})
    return {"seed": rng.randrange(2**32), "dtype": dtype, "steps": steps}


def in_torch(sequence):
    """As the other program writes it."""
    torch.manual_seed(sequence["seed"])
    drawn = []
    for step in sequence["steps"]:
        arguments = {key: value for key, value in step.items() if key not in ("init", "shape")}
        tensor = goldens.initialize(step["init"], sequence["dtype"], step["shape"], **arguments)
        drawn.append(goldens.bytes_of(tensor).hex())
    return [*drawn, torch.rand(()).numpy().tobytes().hex()]


def main():
    warnings.simplefilter("ignore")  # of means far from the bounds of a truncated normal
    rng = random.Random(0)
    sequences = [random_sequence(rng) for _ in range(SEQUENCES)]
    text = "".join(json.dumps(sequence) + "\n" for sequence in sequences)
    lines = subprocess.run([sys.argv[1]], input=text, stdout=subprocess.PIPE, text=True,
                           check=True).stdout.splitlines()
    assert len(lines) == SEQUENCES, len(lines)
    wrong = 0
    for sequence, line in zip(sequences, lines):
        wanted, got = in_torch(sequence), line.split()
        assert len(got) == STEPS + 1, len(got)
        for step, a, b in zip([*sequence["steps"], "what follows"], wanted, got):
            if a != b:
                wrong += 1
                print(f"DIFFERS: {sequence['dtype']} seed {sequence['seed']} {step}")
    print(f"{SEQUENCES * STEPS} tensors compared, {wrong} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
