#include "service/hosting/parameter_hash.h"

#include "service/hosting/sha256.h"

namespace lazynet::hosting {

std::string ParameterHash(const nn::Network& network, const nn::ParameterSet& set) {
  constexpr std::string_view kEnd("\0", 1);
  Sha256 hash;
  for (size_t node = 0; node < network.nodes().size(); ++node) {
    const int count = static_cast<int>(network.nodes()[node].parameters().size());
    for (int i = 0; i < count; ++i) {
      const Tensor& tensor = set.value(static_cast<int>(node), i)->tensor;
      hash.Add(network.nodes()[node].ParameterName(i));
      hash.Add(kEnd);
      hash.Add(Name(tensor.dtype()));
      hash.Add(kEnd);
      hash.Add(tensor.shape().ToString());
      hash.Add(kEnd);
      hash.Add({tensor.data(), tensor.bytes()});
      tensor.ReleasePages();
    }
  }
  return hash.Finish();
}

}  // namespace lazynet::hosting
