#pragma once

#include <span>
#include <string_view>

#include "service/cli/options.h"

namespace lazynet::cli {

// Which server a command asks unless it is told another.
enum class Address {
  // Inference, and what only looks.
  kServer,
  // What changes something.
  kAdmin,
  // The metrics, over HTTP.
  kMetrics,
  // None is asked.
  kNone,
};

// A command as its help shows it.
struct CommandEntry {
  Command command;
  // Its name is `group name`; null = only the name.
  const char* group;
  const char* name;
  const char* description;
  const char* footer;
  Address address;
  int timeout_seconds;
};

// In the order of the help.
std::span<const CommandEntry> Commands();

// What all commands of a group do.
const char* GroupDescription(std::string_view group);

// The end of the help of the whole client.
extern const char* const kFooter;

}  // namespace lazynet::cli
