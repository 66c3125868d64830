"""Prints numpy_files.h: .npy files as NumPy writes them."""
import io

import numpy as np


def saved(array, version=None):
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asanyarray(array), version=version)
    return file.getvalue()


def literal(data):
    lines, line, after_escape = [], "", False
    for byte in data:
        char = chr(byte)
        if byte == 10:
            piece, escape = "\\n", False
        elif 32 <= byte < 127 and char not in "\"\\?":
            piece = '""' + char if after_escape and char in "0123456789abcdefABCDEF" else char
            escape = False
        else:
            piece, escape = f"\\x{byte:02x}", True
        if len(line) + len(piece) > 84:
            lines.append(line)
            line, piece = "", piece.removeprefix('""')
        line += piece
        after_escape = escape
    return "\n    ".join(f'"{part}"' for part in lines + [line]) + "sv"


FILES = [
    ("Float32Matrix", saved(np.array([[1, -2, 0.5], [4, 0, -0.25]], "<f4"))),
    ("Float64Scalar", saved(np.float64(0.1))),
    ("Float16Empty", saved(np.zeros((0, 4), "<f2"))),
    ("Int8Vector", saved(np.array([-128, 127, 0], "i1"))),
    ("Uint16Vector", saved(np.array([0, 65535], "<u2"))),
    ("Int64Vector", saved(np.array([-2**63, 2**63 - 1], "<i8"))),
    ("BoolVector", saved(np.array([True, False, True]))),
    ("Version2", saved(np.arange(4, dtype="<i4").reshape(2, 2), (2, 0))),
    ("Version3", saved(np.zeros(1, "<f4"), (3, 0))),
    ("Fortran", saved(np.asfortranarray(np.ones((2, 3), "<f4")))),
    ("BigEndian", saved(np.ones(2, ">f4"))),
    ("Complex", saved(np.ones(1, "<c8"))),
    ("Text", saved(np.array(["ab"]))),
    ("Record", saved(np.zeros(1, [("x", "<f4")]))),
]

print("#pragma once\n\n#include <string_view>\n")
print(f"// Files of NumPy {np.__version__}, printed by numpy_files.py.")
print("namespace lazynet::checkpoint::numpy_files {\n\nusing namespace std::literals;\n")
print("// clang-format off")
for name, data in FILES:
    print(f"inline constexpr std::string_view k{name} =\n    {literal(data)};")
print("// clang-format on\n\n}  // namespace lazynet::checkpoint::numpy_files")
