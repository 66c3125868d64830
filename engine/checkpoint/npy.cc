#include "engine/checkpoint/npy.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "engine/checkpoint/common.h"
#include "engine/checkpoint/file.h"

namespace lazynet::checkpoint {
namespace {

// "\x93NUMPY", version (major, minor), header length (u16 in 1.0, u32 in 2.0; little-endian), the
// header, the data. The header is the text of a Python dict.
constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kVersionBytes = 2;
constexpr size_t kDataAlignment = 64;

// NumPy's own default limit; headers of plain arrays have 118 bytes.
constexpr size_t kMaxNpyHeaderBytes = 10'000;

struct Entry {
  DType dtype;
  std::string_view descr;
};

constexpr std::array kEntries = {
    Entry{DType::kBool, "|b1"},   Entry{DType::kUint8, "|u1"},  Entry{DType::kInt8, "|i1"},
    Entry{DType::kUint16, "<u2"}, Entry{DType::kInt16, "<i2"},  Entry{DType::kUint32, "<u4"},
    Entry{DType::kInt32, "<i4"},  Entry{DType::kUint64, "<u8"}, Entry{DType::kInt64, "<i8"},
    Entry{DType::kFp16, "<f2"},   Entry{DType::kFp32, "<f4"},   Entry{DType::kFp64, "<f8"},
};

struct Header {
  DType dtype = DType::kFp32;
  Shape shape;
};

absl::StatusOr<DType> ParseDescr(std::string_view descr) {
  for (const Entry& entry : kEntries) {
    // The order of a single byte does not matter, and files with '<' before it exist.
    const bool single =
        entry.descr.front() == '|' && descr == fmt::format("<{}", entry.descr.substr(1));
    if (descr == entry.descr || single) return entry.dtype;
  }
  if (descr.starts_with('>')) {
    return InvalidArgument("header: descr wants little-endian numbers, got big-endian {}",
                           Quote(descr));
  }
  std::string wanted;
  for (const Entry& entry : kEntries)
    wanted += fmt::format("{}{}", wanted.empty() ? "" : ", ", entry.descr);
  return InvalidArgument("header: descr wants a type of {}; got {}", wanted, Quote(descr));
}

// Reads the one kind of dict that the format allows, a literal with the keys descr, fortran_order
// and shape, each once and in any order:
//   {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
class HeaderReader {
 public:
  explicit HeaderReader(std::string_view text) : text_(text) {}

  absl::StatusOr<Header> Read() {
    std::optional<DType> dtype;
    std::optional<bool> fortran_order;
    std::optional<Shape> shape;
    RETURN_IF_ERROR(Expect('{'));
    while (!Take('}')) {
      ASSIGN_OR_RETURN(const std::string_view key, String("a key"));
      RETURN_IF_ERROR(Expect(':'));
      if ((key == "descr" && dtype) || (key == "fortran_order" && fortran_order) ||
          (key == "shape" && shape)) {
        return InvalidArgument("header: wants {} once, got it twice", key);
      }
      if (key == "descr") {
        ASSIGN_OR_RETURN(const std::string_view descr, String("descr as text"));
        ASSIGN_OR_RETURN(dtype, ParseDescr(descr));
      } else if (key == "fortran_order") {
        ASSIGN_OR_RETURN(fortran_order, Bool());
      } else if (key == "shape") {
        ASSIGN_OR_RETURN(shape, Tuple());
      } else {
        return InvalidArgument("header: wants the keys descr, fortran_order and shape, got {}",
                               Quote(key));
      }
      if (Take(',')) continue;
      RETURN_IF_ERROR(Expect('}'));
      break;
    }
    SkipSpace();
    if (!text_.empty()) return Unexpected("only spaces after the dict");
    if (!dtype) return InvalidArgument("header: wants a key descr, got none");
    if (!fortran_order) return InvalidArgument("header: wants a key fortran_order, got none");
    if (!shape) return InvalidArgument("header: wants a key shape, got none");
    if (*fortran_order) {
      return InvalidArgument(
          "header: wants C order, got fortran_order True (numpy.ascontiguousarray converts)");
    }
    return Header{*dtype, *std::move(shape)};
  }

 private:
  absl::Status Unexpected(std::string_view wanted) const {
    if (text_.empty()) return InvalidArgument("header: wants {}, got its end", wanted);
    return InvalidArgument("header: wants {}, got {}", wanted, Quote(text_, 20));
  }

  void SkipSpace() {
    text_.remove_prefix(std::min(text_.find_first_not_of(" \t\r\n"), text_.size()));
  }

  bool Take(char wanted) {
    SkipSpace();
    if (!text_.starts_with(wanted)) return false;
    text_.remove_prefix(1);
    return true;
  }

  absl::Status Expect(char wanted) {
    if (Take(wanted)) return absl::OkStatus();
    return Unexpected(fmt::format("'{}'", wanted));
  }

  // A string literal without escapes.
  absl::StatusOr<std::string_view> String(std::string_view wanted) {
    SkipSpace();
    if (!text_.starts_with('\'') && !text_.starts_with('"')) return Unexpected(wanted);
    const size_t end = text_.find(text_.front(), 1);
    if (end == text_.npos) return Unexpected(fmt::format("{} in closed quotes", wanted));
    const std::string_view value = text_.substr(1, end - 1);
    if (value.find('\\') != value.npos)
      return Unexpected(fmt::format("{} without escapes", wanted));
    text_.remove_prefix(end + 1);
    return value;
  }

  absl::StatusOr<bool> Bool() {
    SkipSpace();
    for (const bool value : {false, true}) {
      const std::string_view literal = value ? "True" : "False";
      if (text_.starts_with(literal)) {
        text_.remove_prefix(literal.size());
        return value;
      }
    }
    return Unexpected("fortran_order True or False");
  }

  // (), (2,), (2, 3) or (2, 3,)
  absl::StatusOr<Shape> Tuple() {
    if (!Take('(')) return Unexpected("shape as a tuple");
    Shape::Dims dims;
    bool comma = false;
    while (!Take(')')) {
      if (!dims.empty() && !comma) return Unexpected("',' or ')' in shape");
      ASSIGN_OR_RETURN(const int64_t dim, Dim());
      if (dims.size() == kMaxRank) {
        return InvalidArgument("header: shape wants a rank of at most {}, got more", kMaxRank);
      }
      dims.push_back(dim);
      comma = Take(',');
    }
    if (dims.size() == 1 && !comma) {
      return InvalidArgument("header: shape wants a tuple, got the number {} in brackets", dims[0]);
    }
    if (const absl::Status status = CheckBounds({dims.data(), dims.size()}); !status.ok()) {
      return Annotate("header: shape", status);
    }
    return Shape(std::move(dims));
  }

  absl::StatusOr<int64_t> Dim() {
    SkipSpace();
    const size_t digits = std::min(text_.find_first_not_of("0123456789"), text_.size());
    if (digits == 0) return Unexpected("a whole number in shape");
    int64_t value = 0;
    for (const char digit : text_.substr(0, digits)) {
      value = value * 10 + (digit - '0');
      if (value > kMaxDim) return Unexpected(fmt::format("dims from 0 to {} in shape", kMaxDim));
    }
    if (digits > 1 && text_.front() == '0')
      return Unexpected("dims without leading zeros in shape");
    text_.remove_prefix(digits);
    return value;
  }

  std::string_view text_;
};

absl::StatusOr<std::string> Prologue(const TensorView& view) {
  const auto* entry = std::find_if(kEntries.begin(), kEntries.end(),
                                   [&](const Entry& e) { return e.dtype == view.dtype; });
  if (entry == kEntries.end()) {
    return InvalidArgument("wants a type that NumPy has, got {}", Name(view.dtype));
  }
  RETURN_IF_ERROR(CheckWritable(view));
  const std::span<const int64_t> dims = view.shape.dims();
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", entry->descr,
                  fmt::join(dims, ", "), dims.size() == 1 ? "," : "");
  // NumPy leaves room for the first dim to grow in place, and a full 64 bytes where none are
  // needed.
  constexpr size_t kDimDigits = 21;
  if (!dims.empty()) header.append(kDimDigits - std::to_string(dims[0]).size(), ' ');
  const size_t before = kMagic.size() + kVersionBytes + sizeof(uint16_t);
  header.append(kDataAlignment - (before + header.size() + 1) % kDataAlignment, ' ');
  header += '\n';
  const auto length = static_cast<uint16_t>(header.size());

  std::string text(kMagic);
  text += '\x01';
  text += '\0';
  text.append(reinterpret_cast<const char*>(&length), sizeof(length));
  return text + header;
}

}  // namespace

absl::StatusOr<Tensor> ReadNpy(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(std::shared_ptr<const MappedFile> file, MappedFile::Open(path));
  return ParseNpy(file->bytes(), file);
}

absl::StatusOr<Tensor> ParseNpy(std::span<const std::byte> bytes,
                                const std::shared_ptr<const void>& owner) {
  std::string_view rest(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!rest.starts_with(kMagic)) {
    return InvalidArgument("wants to begin with {}, got {}", Quote(kMagic), Quote(rest, 8));
  }
  rest.remove_prefix(kMagic.size());
  if (rest.size() < kVersionBytes) return InvalidArgument("wants a version, got the file's end");
  const int major = static_cast<unsigned char>(rest[0]);
  const int minor = static_cast<unsigned char>(rest[1]);
  if ((major != 1 && major != 2) || minor != 0) {
    return InvalidArgument("wants version 1.0 or 2.0, got {}.{}", major, minor);
  }
  rest.remove_prefix(kVersionBytes);
  const size_t length_bytes = major == 1 ? sizeof(uint16_t) : sizeof(uint32_t);
  if (rest.size() < length_bytes) {
    return InvalidArgument("wants a header length of {} bytes, got {}", length_bytes, rest.size());
  }
  uint32_t length = 0;
  std::memcpy(&length, rest.data(), length_bytes);
  rest.remove_prefix(length_bytes);
  if (length > kMaxNpyHeaderBytes) {
    return InvalidArgument("wants a header of at most {} bytes, got a length of {}",
                           kMaxNpyHeaderBytes, length);
  }
  if (length > rest.size()) {
    return InvalidArgument("wants a header of {} bytes, got {}", length, rest.size());
  }
  ASSIGN_OR_RETURN(const Header header, HeaderReader(rest.substr(0, length)).Read());
  rest.remove_prefix(length);
  const size_t wanted = ByteSize(header.dtype, header.shape);
  if (rest.size() != wanted) {
    return InvalidArgument("{} {} wants {} bytes of data, got {}", Name(header.dtype),
                           header.shape.ToString(), wanted, rest.size());
  }
  return ViewOrCopy(header.dtype, header.shape, owner,
                    reinterpret_cast<const std::byte*>(rest.data()));
}

absl::StatusOr<std::string> SerializeNpy(const TensorView& view) {
  ASSIGN_OR_RETURN(std::string text, Prologue(view));
  const std::span<const std::byte> bytes = BytesOf(view);
  text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return text;
}

absl::Status WriteNpy(const std::filesystem::path& path, const TensorView& view) {
  ASSIGN_OR_RETURN(const std::string prologue, Prologue(view));
  const std::array pieces = {std::as_bytes(std::span(prologue)), BytesOf(view)};
  return WriteFileAtomically(path, pieces);
}

}  // namespace lazynet::checkpoint
