#include "engine/backend/backend.h"

namespace lazynet::backend {

bool SameLayout(const LayoutPtr& a, const LayoutPtr& b) {
  if (a == b) return true;
  return a != nullptr && b != nullptr && a->Equals(*b);
}

size_t LayoutBytes(const Value& value, const LayoutPtr& layout) {
  return layout == nullptr ? ByteSize(value.dtype, value.shape) : layout->bytes();
}

std::string LayoutName(const LayoutPtr& layout) {
  return layout == nullptr ? "dense" : layout->name();
}

}  // namespace lazynet::backend
