#include "service/security/pem_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/core/status.h"
#include "tests/service/support/certificates.h"
#include "tests/service/support/scratch_folder.h"

namespace lazynet::security {
namespace {

using ::testing::AllOf;
using testing::Certificate;
using testing::CertificateAuthority;
using ::testing::HasSubstr;

class PemFiles : public ::testing::Test {
 protected:
  PemFiles() {
    folder_.Write("own.pem", own_.certificate);
    folder_.Write("own.key", own_.key);
  }

  std::string Path(const std::string& name) const { return (folder_.path() / name).string(); }

  std::string PairError(const std::string& certificate, const std::string& key) const {
    const auto pair = ReadKeyPair(Path(certificate), Path(key));
    EXPECT_FALSE(pair.ok());
    return std::string(Message(pair.status()));
  }

  testing::ScratchFolder folder_;
  CertificateAuthority authority_{"authority"};
  Certificate own_ = authority_.Issue({.common_name = "own"});
};

TEST_F(PemFiles, APairIsReadAsItIs) {
  const auto pair = ReadKeyPair(Path("own.pem"), Path("own.key"));
  ASSERT_TRUE(pair.ok()) << pair.status();
  EXPECT_EQ(pair->certificate, own_.certificate);
  EXPECT_EQ(pair->key, own_.key);
  EXPECT_TRUE(pair->is_valid_now);
  EXPECT_THAT(pair->valid_until, HasSubstr(" GMT"));
}

TEST_F(PemFiles, TheKeyIsThatOfTheFirstCertificateOfAChain) {
  folder_.Write("chain.pem", own_.certificate + authority_.certificate());
  EXPECT_TRUE(ReadKeyPair(Path("chain.pem"), Path("own.key")).ok());
  folder_.Write("reversed.pem", authority_.certificate() + own_.certificate);
  EXPECT_THAT(PairError("reversed.pem", "own.key"),
              AllOf(HasSubstr("--tls-key " + Path("own.key")),
                    HasSubstr("is not the key of the first certificate")));
}

TEST_F(PemFiles, AnEndedCertificateIsRead) {
  const Certificate ended = authority_.Issue({.common_name = "own", .valid_days = 0});
  folder_.Write("ended.pem", ended.certificate);
  folder_.Write("ended.key", ended.key);
  const auto pair = ReadKeyPair(Path("ended.pem"), Path("ended.key"));
  ASSERT_TRUE(pair.ok()) << pair.status();
  EXPECT_FALSE(pair->is_valid_now);
}

TEST_F(PemFiles, WhatCannotBeUsedIsNamedWithItsFlagAndFile) {
  folder_.Write("junk.pem", "no certificate");
  folder_.Write("empty.pem", "");
  folder_.Write("broken.pem", own_.certificate + own_.certificate.substr(0, 200));
  folder_.Write("locked.key", testing::WithPassphrase(own_.key, "secret"));
  EXPECT_EQ(PairError("none.pem", "own.key"),
            "--tls-certificate: " + Path("none.pem") + ": No such file or directory");
  EXPECT_EQ(PairError("own.pem", "none.key"),
            "--tls-key: " + Path("none.key") + ": No such file or directory");
  EXPECT_EQ(PairError("junk.pem", "own.key"),
            "--tls-certificate " + Path("junk.pem") + ": wants certificates in PEM form, got none");
  EXPECT_EQ(PairError("empty.pem", "own.key"),
            "--tls-certificate: " + Path("empty.pem") + ": is empty");
  EXPECT_THAT(PairError("broken.pem", "own.key"),
              HasSubstr("--tls-certificate " + Path("broken.pem") + ": certificate 2: "));
  EXPECT_THAT(PairError("own.pem", "own.pem"),
              HasSubstr("--tls-key " + Path("own.pem") + ": wants a private key in PEM form"));
  EXPECT_EQ(PairError("own.pem", "locked.key"),
            "--tls-key " + Path("locked.key") + ": wants a key without a passphrase, got one with");
  folder_.Write("large.pem", std::string((1 << 20) + 1, ' '));
  EXPECT_THAT(PairError("large.pem", "own.key"), HasSubstr("wants at most 1048576 bytes"));
}

TEST_F(PemFiles, AuthoritiesAreOneOrMore) {
  folder_.Write("two.pem", authority_.certificate() + CertificateAuthority("b").certificate());
  EXPECT_TRUE(ReadAuthorities("--tls-ca", Path("two.pem")).ok());
  const auto key = ReadAuthorities("--tls-ca", Path("own.key"));
  EXPECT_EQ(Message(key.status()),
            "--tls-ca " + Path("own.key") + ": wants certificates in PEM form, got none");
}

}  // namespace
}  // namespace lazynet::security
