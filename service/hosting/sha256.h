#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace lazynet::hosting {

// SHA-256 (FIPS 180-4) of everything that is added, in order.
class Sha256 {
 public:
  Sha256();
  ~Sha256();

  void Add(std::span<const std::byte> bytes);
  void Add(std::string_view text);

  // In hexadecimal. Nothing can be added afterwards.
  std::string Finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace lazynet::hosting
