#include "service/security/tls_identity.h"

#include <gtest/gtest.h>

#include "tests/service/support/certificates.h"
#include "tests/service/support/scratch_folder.h"

namespace lazynet::security {
namespace {

using testing::Certificate;
using testing::CertificateAuthority;

class TlsIdentityTest : public ::testing::Test {
 protected:
  void Write(const Certificate& own) const {
    folder_.Write("own.pem", own.certificate);
    folder_.Write("own.key", own.key);
  }
  TlsFiles Files() const {
    return {.certificate = folder_.path() / "own.pem", .key = folder_.path() / "own.key"};
  }

  testing::ScratchFolder folder_;
  CertificateAuthority authority_{"authority"};
  Certificate first_ = authority_.Issue({.common_name = "first"});
  Certificate second_ = authority_.Issue({.common_name = "second"});
};

TEST_F(TlsIdentityTest, ReloadingTakesWhatTheFilesHoldNow) {
  Write(first_);
  const auto identity = TlsIdentity::Load(Files());
  ASSERT_TRUE(identity.ok()) << identity.status();
  const auto before = (*identity)->contents();
  Write(second_);
  EXPECT_EQ((*identity)->contents(), before);
  ASSERT_TRUE((*identity)->Reload().ok());
  EXPECT_EQ((*identity)->contents()->own.certificate, second_.certificate);
  EXPECT_EQ(before->own.certificate, first_.certificate);
}

TEST_F(TlsIdentityTest, AFailedReloadChangesNothing) {
  Write(first_);
  const auto identity = TlsIdentity::Load(Files());
  ASSERT_TRUE(identity.ok()) << identity.status();
  folder_.Write("own.pem", second_.certificate);  // while the key is still the first one's
  EXPECT_FALSE((*identity)->Reload().ok());
  EXPECT_EQ((*identity)->contents()->own.certificate, first_.certificate);
  EXPECT_EQ((*identity)->contents()->own.key, first_.key);
}

TEST_F(TlsIdentityTest, AClientCaIsReadWhereItIsNamed) {
  Write(first_);
  TlsFiles files = Files();
  EXPECT_FALSE((*TlsIdentity::Load(files))->wants_client_certificate());
  files.client_ca = folder_.path() / "ca.pem";
  files.client_ca_flag = "--tls-client-ca";
  EXPECT_FALSE(TlsIdentity::Load(files).ok());
  folder_.Write("ca.pem", authority_.certificate());
  const auto identity = TlsIdentity::Load(files);
  ASSERT_TRUE(identity.ok()) << identity.status();
  EXPECT_TRUE((*identity)->wants_client_certificate());
  EXPECT_EQ((*identity)->contents()->client_ca, authority_.certificate());
}

}  // namespace
}  // namespace lazynet::security
