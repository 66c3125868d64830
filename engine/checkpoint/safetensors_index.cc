#include "engine/checkpoint/safetensors_index.h"

#include <map>
#include <new>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "engine/checkpoint/common.h"
#include "engine/checkpoint/file.h"
#include "engine/checkpoint/safetensors_format.h"

namespace lazynet::checkpoint {
namespace {

struct Place {
  std::string shard;
  std::optional<Tensor> tensor;  // once the shard is read
};
using Places = std::map<std::string, Place>;

// A name in the index's own folder: nothing that leads elsewhere, and nothing that the system would
// read as another name.
bool IsPlainFileName(std::string_view name) {
  constexpr size_t kMaxNameBytes = 255;
  if (name.empty() || name.size() > kMaxNameBytes || name == "." || name == "..") return false;
  for (const char c : name) {
    if (c == '/' || c == '\\' || static_cast<unsigned char>(c) < ' ') return false;
  }
  return true;
}

// Takes the index's JSON event by event, for the reasons of the safetensors reader: a tree would
// hide duplicate keys. Each method returns false to stop the parser, and then status() says why.
class IndexHandler {
 public:
  using Json = nlohmann::json;

  const absl::Status& status() const { return status_; }
  bool has_map() const { return seen_map_; }
  Places TakePlaces() { return std::move(places_); }
  std::set<std::string> TakeShards() { return std::move(shards_); }

  bool null() { return Scalar("null"); }
  bool boolean(bool value) { return Scalar(value ? "true" : "false"); }
  bool number_integer(Json::number_integer_t value) { return Scalar(std::to_string(value)); }
  bool number_unsigned(Json::number_unsigned_t value) { return Scalar(std::to_string(value)); }
  bool number_float(Json::number_float_t /*value*/, const Json::string_t& text) {
    return Scalar(text.substr(0, kShownBytes));
  }
  bool string(Json::string_t& value) {
    if (at_ == At::kMapValue) return Shard(std::move(value));
    return Scalar(Quote(value, kShownBytes));
  }
  bool binary(Json::binary_t& /*value*/) { return Unexpected("binary data"); }

  bool start_object(size_t /*size*/) {
    switch (at_) {
      case At::kIndex:
        at_ = At::kTop;
        return true;
      case At::kMetadata:
        at_ = At::kMetadataKeys;
        return true;
      case At::kMap:
        at_ = At::kMapKeys;
        return true;
      default:
        return Unexpected("an object");
    }
  }
  bool key(Json::string_t& name) {
    switch (at_) {
      case At::kTop:
        return Field(name);
      case At::kMetadataKeys:
        return MetadataKey(std::move(name));
      default:
        return TensorName(std::move(name));
    }
  }
  bool end_object() {
    at_ = At::kTop;
    return true;
  }
  bool start_array(size_t /*size*/) { return Unexpected("an array"); }
  bool end_array() { return true; }

  bool parse_error(size_t /*position*/, const std::string& /*token*/,
                   const Json::exception& error) {
    return Fail("wants JSON: {}", JsonReason(error.what()));
  }

 private:
  enum class At {
    kIndex,
    kTop,
    kMetadata,
    kMetadataKeys,
    kMetadataValue,
    kMap,
    kMapKeys,
    kMapValue
  };
  static constexpr size_t kShownBytes = 40;

  template <typename... Args>
  bool Fail(fmt::format_string<Args...> format, Args&&... args) {
    status_ = InvalidArgument(format, std::forward<Args>(args)...);
    return false;
  }

  bool Unexpected(std::string_view got) {
    switch (at_) {
      case At::kMetadata:
        return Fail("metadata wants an object, got {}", got);
      case At::kMetadataValue:
        return Fail("metadata {}: wants a text, a number, true, false or null, got {}",
                    Quote(last_key_), got);
      case At::kMap:
        return Fail("weight_map wants an object, got {}", got);
      case At::kMapValue:
        return Fail("tensor {}: wants a file name, got {}", Quote(last_key_), got);
      default:
        return Fail("wants an object, got {}", got);
    }
  }

  // The metadata are what a writer noted, such as total_size, which writers count differently.
  bool Scalar(std::string_view got) {
    if (at_ != At::kMetadataValue) return Unexpected(got);
    at_ = At::kMetadataKeys;
    return true;
  }

  bool Field(std::string_view name) {
    const bool map = name == "weight_map";
    if (!map && name != "metadata") {
      return Fail("wants the fields metadata and weight_map, got {}", Quote(name));
    }
    bool& seen = map ? seen_map_ : seen_metadata_;
    if (seen) return Fail("wants {} once, got it twice", name);
    seen = true;
    at_ = map ? At::kMap : At::kMetadata;
    return true;
  }

  bool MetadataKey(std::string key) {
    if (metadata_keys_.size() >= kMaxMetadataEntries) {
      return Fail("metadata wants at most {} entries, got more", kMaxMetadataEntries);
    }
    if (!metadata_keys_.insert(key).second) {
      return Fail("metadata {}: wants a key once, got it twice", Quote(key));
    }
    last_key_ = std::move(key);
    at_ = At::kMetadataValue;
    return true;
  }

  bool TensorName(std::string name) {
    if (places_.size() >= kMaxTensors) {
      return Fail("weight_map wants at most {} tensors, got more", kMaxTensors);
    }
    const auto [entry, added] = places_.try_emplace(name);
    if (!added) return Fail("tensor {}: wants a name once, got it twice", Quote(name));
    place_ = &entry->second;
    last_key_ = std::move(name);
    at_ = At::kMapValue;
    return true;
  }

  bool Shard(std::string name) {
    if (!IsPlainFileName(name)) {
      return Fail("tensor {}: wants the name of a file in the index's folder, got {}",
                  Quote(last_key_), Quote(name));
    }
    shards_.insert(name);
    if (shards_.size() > kMaxShards) {
      return Fail("weight_map wants at most {} files, got more", kMaxShards);
    }
    place_->shard = std::move(name);
    at_ = At::kMapKeys;
    return true;
  }

  absl::Status status_;
  At at_ = At::kIndex;
  bool seen_metadata_ = false;
  bool seen_map_ = false;
  std::set<std::string> metadata_keys_;
  Places places_;
  std::set<std::string> shards_;
  std::string last_key_;
  Place* place_ = nullptr;  // of last_key_ in the map
};

absl::Status ParseIndex(std::string_view text, IndexHandler& handler) {
  if (text.size() > kMaxHeaderBytes) {
    return InvalidArgument("wants at most {} bytes, got {}", kMaxHeaderBytes, text.size());
  }
  // The JSON library would take a byte order mark, and NUL for the end of the text.
  if (!text.starts_with('{')) {
    return InvalidArgument("wants to begin with '{{', got {}", Quote(text.substr(0, 8)));
  }
  if (const size_t nul = text.find('\0'); nul != text.npos) {
    return InvalidArgument("wants JSON, got a NUL byte at {}", nul);
  }
  if (!nlohmann::json::sax_parse(text.data(), text.data() + text.size(), &handler)) {
    LAZYNET_CHECK(!handler.status().ok());
    return handler.status();
  }
  if (!handler.has_map()) return InvalidArgument("wants a field weight_map, got none");
  return absl::OkStatus();
}

// Puts the shard's tensors into their places.
absl::Status ReadShard(const std::string& shard, const OpenInFolder& open, Places& places) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const MappedFile> mapped, open(shard));
  ASSIGN_OR_RETURN(const auto file, SafetensorsFile::Of(mapped));
  for (const NamedTensor& entry : file->tensors()) {
    const auto place = places.find(entry.name);
    if (place == places.end()) {
      return InvalidArgument("tensor {}: wants to be listed in the index, is not",
                             Quote(entry.name));
    }
    if (place->second.shard != shard) {
      return InvalidArgument("tensor {}: wants to lie in {}, as the index says, lies here",
                             Quote(entry.name), Quote(place->second.shard));
    }
    place->second.tensor = entry.tensor;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<NamedTensor>> ReadSharded(const std::string& index,
                                                     const OpenInFolder& open) try {
  ASSIGN_OR_RETURN(const std::shared_ptr<const MappedFile> file, open(index));
  const std::span<const std::byte> bytes = file->bytes();
  IndexHandler handler;
  RETURN_IF_ERROR(ParseIndex({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, handler));
  Places places = handler.TakePlaces();
  for (const std::string& shard : handler.TakeShards()) {
    const absl::Status status = ReadShard(shard, open, places);
    if (!status.ok()) return Annotate(fmt::format("shard {}", Quote(shard)), status);
  }
  std::vector<NamedTensor> tensors;
  tensors.reserve(places.size());
  for (auto& [name, place] : places) {
    if (!place.tensor) {
      return InvalidArgument("shard {}: wants a tensor {}, as the index says, has none",
                             Quote(place.shard), Quote(name));
    }
    tensors.push_back({name, *std::move(place.tensor)});
  }
  return tensors;
} catch (const std::bad_alloc&) {
  return ResourceExhausted("no memory to read what the index describes");
}

OpenInFolder OpenBeside(const std::filesystem::path& path) {
  return [folder = path.parent_path()](const std::string& name) {
    return MappedFile::Open(folder / name);
  };
}

}  // namespace

absl::StatusOr<std::vector<NamedTensor>> ReadShardedSafetensors(
    const std::filesystem::path& index) {
  return ReadSharded(index.filename().string(), OpenBeside(index));
}

absl::StatusOr<std::vector<NamedTensor>> ReadSafetensors(const std::filesystem::path& path) {
  return ReadSafetensors(path.filename().string(), OpenBeside(path));
}

absl::StatusOr<std::vector<NamedTensor>> ReadSafetensors(const std::string& name,
                                                         const OpenInFolder& open) {
  if (name.ends_with(kIndexSuffix)) return ReadSharded(name, open);
  ASSIGN_OR_RETURN(const std::shared_ptr<const MappedFile> mapped, open(name));
  ASSIGN_OR_RETURN(const auto file, SafetensorsFile::Of(mapped));
  return std::vector<NamedTensor>(file->tensors().begin(), file->tensors().end());
}

}  // namespace lazynet::checkpoint
