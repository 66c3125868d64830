#pragma once

#include <string_view>

// Files of NumPy 1.24.2, printed by numpy_files.py.
namespace lazynet::checkpoint::numpy_files {

using namespace std::literals;

// clang-format off
inline constexpr std::string_view kFloat32Matrix =
    "\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }   "
    "                                                       \n\x00\x00\x80\x3f\x00\x00"
    "\x00\xc0\x00\x00\x00\x3f\x00\x00\x80@\x00\x00\x00\x00\x00\x00\x80\xbe"sv;
inline constexpr std::string_view kFloat64Scalar =
    "\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (), }       "
    "                                                       \n\x9a\x99\x99\x99\x99\x99"
    "\xb9\x3f"sv;
inline constexpr std::string_view kFloat16Empty =
    "\x93NUMPY\x01\x00v\x00{'descr': '<f2', 'fortran_order': False, 'shape': (0, 4), }   "
    "                                                       \n"sv;
inline constexpr std::string_view kInt8Vector =
    "\x93NUMPY\x01\x00v\x00{'descr': '|i1', 'fortran_order': False, 'shape': (3,), }     "
    "                                                       \n\x80\x7f\x00"sv;
inline constexpr std::string_view kUint16Vector =
    "\x93NUMPY\x01\x00v\x00{'descr': '<u2', 'fortran_order': False, 'shape': (2,), }     "
    "                                                       \n\x00\x00\xff\xff"sv;
inline constexpr std::string_view kInt64Vector =
    "\x93NUMPY\x01\x00v\x00{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }     "
    "                                                       \n\x00\x00\x00\x00\x00\x00"
    "\x00\x80\xff\xff\xff\xff\xff\xff\xff\x7f"sv;
inline constexpr std::string_view kBoolVector =
    "\x93NUMPY\x01\x00v\x00{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }     "
    "                                                       \n\x01\x00\x01"sv;
inline constexpr std::string_view kVersion2 =
    "\x93NUMPY\x02\x00t\x00\x00\x00{'descr': '<i4', 'fortran_order': False, 'shape': (2, "
    "2), }                                                        \n\x00\x00\x00\x00\x01"
    "\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00"sv;
inline constexpr std::string_view kVersion3 =
    "\x93NUMPY\x03\x00t\x00\x00\x00{'descr': '<f4', 'fortran_order': False, 'shape': (1,)"
    ", }                                                          \n\x00\x00\x00\x00"sv;
inline constexpr std::string_view kFortran =
    "\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }    "
    "                                                       \n\x00\x00\x80\x3f\x00\x00"
    "\x80\x3f\x00\x00\x80\x3f\x00\x00\x80\x3f\x00\x00\x80\x3f\x00\x00\x80\x3f"sv;
inline constexpr std::string_view kBigEndian =
    "\x93NUMPY\x01\x00v\x00{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }     "
    "                                                       \n\x3f\x80\x00\x00\x3f\x80"
    "\x00\x00"sv;
inline constexpr std::string_view kComplex =
    "\x93NUMPY\x01\x00v\x00{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }     "
    "                                                       \n\x00\x00\x80\x3f\x00\x00"
    "\x00\x00"sv;
inline constexpr std::string_view kText =
    "\x93NUMPY\x01\x00v\x00{'descr': '<U2', 'fortran_order': False, 'shape': (1,), }     "
    "                                                       \na\x00\x00\x00""b\x00\x00"
    "\x00"sv;
inline constexpr std::string_view kRecord =
    "\x93NUMPY\x01\x00v\x00{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,"
    "), }                                                   \n\x00\x00\x00\x00"sv;
// clang-format on

}  // namespace lazynet::checkpoint::numpy_files
