#include <iostream>

#include "service/cli/cli.h"

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  return lazynet::cli::Main({argv + 1, argv + argc}, std::cout, std::cerr);
}
