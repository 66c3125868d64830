#pragma once

#include <string>
#include <vector>

#include "tests/service/cli/fake_server.h"
#include "tests/service/cli/support.h"

namespace lazynet::cli {

// The client against a server that answers what the test wants.
class ClientTest : public testing::Test {
 protected:
  Outcome Ask(std::vector<std::string> args) {
    args.insert(args.end(), {"--server", server_.address()});
    return RunClient(args);
  }

  FakeServer server_;
};

}  // namespace lazynet::cli
