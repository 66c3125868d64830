#pragma once

#include <iosfwd>

#include "service/cli/load_report.h"

namespace lazynet::cli::markdown {

// The report as tables of GitHub's Markdown.
void Print(const LoadReport& report, std::ostream& out);

}  // namespace lazynet::cli::markdown
