#include "service/metrics/gzip.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "tests/service/metrics/gzip.h"

namespace lazynet::metrics {
namespace {

using testing::Gunzip;

std::string HeadWith(const std::string& accepted) {
  return "GET /metrics HTTP/1.1\r\nHost: h\r\n" + accepted + "\r\n";
}

TEST(AcceptsGzip, IsAToken) {
  for (const char* line :
       {"Accept-Encoding: gzip\r\n", "accept-encoding:GZIP\r\n",
        "Accept-Encoding: deflate, gzip;q=0.5, br\r\n", "Accept-Encoding: *\r\n",
        "Accept-Encoding: gzip; q=1\r\n", "Accept-Encoding: br\r\nAccept-Encoding: gzip\r\n"}) {
    EXPECT_TRUE(AcceptsGzip(HeadWith(line))) << line;
  }
  for (const char* line : {"", "Accept-Encoding: identity\r\n", "Accept-Encoding: gzip;q=0\r\n",
                           "Accept-Encoding: gzip; q=0.0\r\n", "Accept-Encoding: *;q=0\r\n",
                           "Accept-Encoding: gzip;q=0, *\r\n", "Accept-Encoding: xgzip\r\n",
                           "X-Accept-Encoding: gzip\r\n", "Accept-Encoding:\r\n"}) {
    EXPECT_FALSE(AcceptsGzip(HeadWith(line))) << line;
  }
}

TEST(Gzip, PiecesAreOneFile) {
  std::mt19937 random(1);
  for (const bool compressible : {true, false}) {
    Gzip gzip;
    std::string file;
    std::string text;
    for (const size_t size : {0, 1, 300000, 7, 100000}) {
      std::string piece(size, 'a');
      if (!compressible) {
        for (char& byte : piece) byte = static_cast<char>(random());
      }
      const size_t before = file.size();
      gzip.Append(piece, false, file);
      EXPECT_TRUE(size == 0 || file.size() > before);
      text += piece;
    }
    EXPECT_EQ(Gunzip(file), "");  // not its end yet
    gzip.Append("end", true, file);
    EXPECT_TRUE(Gunzip(file) == text + "end");
    EXPECT_TRUE(!compressible || file.size() < text.size() / 50);
  }
}

}  // namespace
}  // namespace lazynet::metrics
