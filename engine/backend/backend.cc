#include "engine/backend/backend.h"

namespace lazynet::backend {

bool SameLayout(const LayoutPtr& a, const LayoutPtr& b) {
  if (a == b) return true;
  return a != nullptr && b != nullptr && a->Equals(*b);
}

size_t LayoutBytes(const Value& value, const LayoutPtr& layout) {
  return layout == nullptr ? ByteSize(value.dtype, value.shape) : layout->bytes();
}

}  // namespace lazynet::backend
