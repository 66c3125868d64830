"""Where in the user's source a call stands."""
import dataclasses
import linecache
import pathlib
import sys

import torch

OWN = str(pathlib.Path(__file__).resolve().parent)
TORCH = str(pathlib.Path(torch.__file__).resolve().parent) + "/"


@dataclasses.dataclass(frozen=True)
class Place:
    file: str
    line: int
    source: str


def is_users(file):
    return not file.startswith((OWN, TORCH, "<"))


def make_place(file, line):
    return Place(file, line, linecache.getline(file, line).strip())


def of_stack():
    """The innermost frame that is neither PyTorch's nor ours; None where there is none."""
    frame = sys._getframe(1)
    while frame:
        if is_users(frame.f_code.co_filename):
            return make_place(frame.f_code.co_filename, frame.f_lineno)
        frame = frame.f_back
    return None


def passes_through(error, functions):
    """Whether an exception comes from within a function of one of these names."""
    step = error.__traceback__
    while step:
        if step.tb_frame.f_code.co_name in functions:
            return True
        step = step.tb_next
    return False


def of_exception(error):
    """The innermost place of the user's in an exception's traceback."""
    place, step = None, error.__traceback__
    while step:
        if is_users(step.tb_frame.f_code.co_filename):
            place = (step.tb_frame.f_code.co_filename, step.tb_lineno)
        step = step.tb_next
    return make_place(*place) if place else None
