#include "service/cli/table.h"

#include <gtest/gtest.h>

#include <sstream>

namespace lazynet::cli {
namespace {

TEST(Table, AlignsColumnsAndEndsLinesWithoutSpaces) {
  Table table({{"name"}, {"size", true}, {"note"}});
  table.Add({"a", "5", ""});
  table.Add({"longer", "12345", "x"});
  std::ostringstream out;
  table.Print(out);
  EXPECT_EQ(out.str(),
            "name     size  note\n"
            "a           5\n"
            "longer  12345  x\n");
}

TEST(Table, CountsCharactersNotBytes) {
  Table table({{"a"}, {"b"}});
  table.Add({"\xC3\xA4\xC3\xB6", "x"});
  table.Add({"zz", "y"});
  std::ostringstream out;
  table.Print(out);
  EXPECT_EQ(out.str(), "a   b\n\xC3\xA4\xC3\xB6  x\nzz  y\n");
}

TEST(Printable, KeepsControlCharactersFromTheTerminal) {
  EXPECT_EQ(Printable("a\x1B[31m\tb\x7F\n"), "a?[31m?b??");
  EXPECT_EQ(Printable("a\nb\r", true), "a\nb?");
}

}  // namespace
}  // namespace lazynet::cli
