#include "engine/plan/workspace.h"

#include <utility>

namespace lazynet::plan {
namespace {

absl::Status Grow(Buffer& buffer, size_t bytes) {
  if (buffer.size() >= bytes) return absl::OkStatus();
  buffer = Buffer();  // given back first: the old contents are of no use
  ASSIGN_OR_RETURN(buffer, Buffer::Allocate(bytes));
  return absl::OkStatus();
}

}  // namespace

absl::Status Workspace::Reserve(size_t arena_bytes, size_t scratch_bytes) {
  RETURN_IF_ERROR(Grow(arena_, arena_bytes));
  return Grow(scratch_, scratch_bytes);
}

}  // namespace lazynet::plan
