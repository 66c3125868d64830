// Who may come in: TLS, certificates of clients, tokens, and all of it read again.

#include "service/server/access.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>

#include "tests/service/support/captured_log.h"
#include "tests/service/support/certificates.h"
#include "tests/service/support/live_server.h"

namespace lazynet {
namespace {

using ::testing::AllOf;
using testing::Certificate;
using testing::CertificateAuthority;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::LiveServer;
using testing::TemporaryRepository;

class AccessTest : public ::testing::Test {
 protected:
  using Service = inference::GRPCInferenceService;

  AccessTest() {
    repository_.Write("m/network.textproto", "layers { name: \"y\" relu {} }");
    WriteServer(server_);
    files_.Write("ca.pem", clients_.certificate());
    files_.Write("operators.pem", operators_.certificate());
    files_.Write("tokens", "secret\n");
    config_.tls_certificate = Path("server.pem");
    config_.tls_key = Path("server.key");
  }

  std::string Path(const std::string& name) const { return (files_.path() / name).string(); }
  void WriteServer(const Certificate& certificate) const {
    files_.Write("server.pem", certificate.certificate);
    files_.Write("server.key", certificate.key);
  }
  Certificate ServerCertificate(const std::string& name) const {
    return servers_.Issue({.common_name = name, .alternative_names = "IP:127.0.0.1"});
  }

  LiveServer& Start() {
    live_.emplace(repository_.path(), config_);
    return *live_;
  }

  // Connects as `client`, or as nobody, to a server that `authority` signed.
  std::shared_ptr<grpc::Channel> Connect(int port, const Certificate& client = {},
                                         const CertificateAuthority* authority = nullptr) const {
    grpc::ChannelArguments arguments;
    // Channels to one address would share the connection of the first.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    const auto credentials = grpc::SslCredentials(
        {.pem_root_certs = (authority != nullptr ? *authority : servers_).certificate(),
         .pem_private_key = client.key,
         .pem_cert_chain = client.certificate});
    return grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port), credentials, arguments);
  }
  std::shared_ptr<grpc::Channel> ConnectMain(const Certificate& client = {}) {
    return Connect(live_->server().grpc_port(), client);
  }
  std::shared_ptr<grpc::Channel> ConnectAdmin(const Certificate& client = {}) {
    return Connect(live_->server().admin_port(), client);
  }

  static grpc::Status Ask(const std::shared_ptr<grpc::Channel>& channel,
                          std::string* server_certificate = nullptr) {
    grpc::ClientContext context;
    inference::ServerLiveResponse response;
    const grpc::Status status = Service::NewStub(channel)->ServerLive(&context, {}, &response);
    if (status.ok() && server_certificate != nullptr) {
      const auto values = context.auth_context()->FindPropertyValues("x509_pem_cert");
      *server_certificate = std::string(values.at(0).data(), values.at(0).size());
    }
    return status;
  }

  static grpc::Status Load(const std::shared_ptr<grpc::Channel>& channel,
                           const std::string& authorization = "") {
    grpc::ClientContext context;
    if (!authorization.empty()) context.AddMetadata("authorization", authorization);
    inference::RepositoryModelLoadRequest request;
    request.set_model_name("m");
    inference::RepositoryModelLoadResponse response;
    return Service::NewStub(channel)->RepositoryModelLoad(&context, request, &response);
  }

  static absl::Status StartError(config::ServerConfig config,
                                 const std::filesystem::path& repository) {
    config.model_repository = repository.string();
    if (config.grpc_address == config::ServerConfig().grpc_address) {
      config.grpc_address = config.metrics_address = config.admin_address = "127.0.0.1:0";
    }
    return server::Server::Start(config).status();
  }

  TemporaryRepository repository_;
  testing::ScratchFolder files_;
  CertificateAuthority servers_{"servers"};
  CertificateAuthority clients_{"clients"};
  CertificateAuthority operators_{"operators"};
  Certificate server_ = ServerCertificate("server");
  config::ServerConfig config_;
  std::optional<LiveServer> live_;
};

TEST_F(AccessTest, AReloadSaysOnceWhatItRead) {
  config_.tls_client_ca = Path("ca.pem");
  config_.admin_client_ca = Path("operators.pem");
  const testing::CapturedLog log(logging::Format::kText, spdlog::level::info);
  const auto access = server::Access::Load(config_);
  ASSERT_TRUE(access.ok());
  (*access)->Reload();
  EXPECT_THAT(log.Lines(),
              ElementsAre(HasSubstr("TLS certificate read"), HasSubstr("TLS certificate read")));
}

TEST_F(AccessTest, BothAddressesSpeakTlsAndNothingElse) {
  Start();
  EXPECT_TRUE(Ask(ConnectMain()).ok());
  EXPECT_TRUE(Ask(ConnectAdmin()).ok());
  EXPECT_EQ(Ask(live_->channel()).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Ask(live_->AdminChannel()).error_code(), grpc::StatusCode::UNAVAILABLE);
  const auto distrustful = Connect(live_->server().grpc_port(), {}, &clients_);
  EXPECT_EQ(Ask(distrustful).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(AccessTest, InferenceTravelsOverTls) {
  Start();
  grpc::ClientContext context;
  inference::ModelInferResponse response;
  const grpc::Status status =
      Service::NewStub(ConnectMain())
          ->ModelInfer(&context, testing::RequestOf("m", {1, 1}, {3}), &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.outputs_size(), 1);
}

TEST_F(AccessTest, MutualTlsLetsInWhomTheAuthoritySigned) {
  config_.tls_client_ca = Path("ca.pem");
  Start();
  EXPECT_TRUE(Ask(ConnectMain(clients_.Issue({.common_name = "c"}))).ok());
  EXPECT_TRUE(Ask(ConnectAdmin(clients_.Issue({.common_name = "c"}))).ok());
  for (const Certificate& wrong : {Certificate(), operators_.Issue({.common_name = "c"}),
                                   clients_.Issue({.common_name = "c", .valid_days = 0})}) {
    EXPECT_EQ(Ask(ConnectMain(wrong)).error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(Ask(ConnectAdmin(wrong)).error_code(), grpc::StatusCode::UNAVAILABLE);
  }
}

TEST_F(AccessTest, TheAdminAddressMayHaveAnAuthorityOfItsOwn) {
  config_.admin_client_ca = Path("operators.pem");
  Start();
  EXPECT_TRUE(Ask(ConnectMain()).ok());
  EXPECT_EQ(Ask(ConnectAdmin()).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(Ask(ConnectAdmin(operators_.Issue({.common_name = "o"}))).ok());
}

TEST_F(AccessTest, ReloadedCertificatesAreShownToNewConnections) {
  Start();
  const auto standing = ConnectMain();
  std::string shown;
  ASSERT_TRUE(Ask(standing, &shown).ok());
  EXPECT_EQ(shown, server_.certificate);
  const Certificate next = ServerCertificate("next");
  WriteServer(next);
  live_->server().RequestReload();
  // The reload is on a thread of its own: this ends when it is seen, or by the test's timeout.
  while (shown != next.certificate) ASSERT_TRUE(Ask(ConnectMain(), &shown).ok());
  EXPECT_TRUE(Ask(standing).ok());
  do {
    ASSERT_TRUE(Ask(ConnectAdmin(), &shown).ok());
  } while (shown != next.certificate);
}

TEST_F(AccessTest, AReloadThatFailsLeavesTheCertificatesThatWork) {
  config_.admin_token_file = Path("tokens");
  Start();
  files_.Write("server.pem", "junk");
  files_.Write("tokens", "new");
  live_->server().RequestReload();
  // Tokens are read after certificates.
  while (!Load(ConnectAdmin(), "Bearer new").ok()) {
  }
  std::string shown;
  ASSERT_TRUE(Ask(ConnectMain(), &shown).ok());
  EXPECT_EQ(shown, server_.certificate);
}

TEST_F(AccessTest, AReloadedClientAuthorityHoldsForNewConnections) {
  config_.tls_client_ca = Path("ca.pem");
  Start();
  const Certificate client = clients_.Issue({.common_name = "c"});
  EXPECT_TRUE(Ask(ConnectMain(client)).ok());
  files_.Write("ca.pem", operators_.certificate());
  live_->server().RequestReload();
  while (Ask(ConnectMain(client)).ok()) {
  }
  EXPECT_TRUE(Ask(ConnectMain(operators_.Issue({.common_name = "o"}))).ok());
}

TEST_F(AccessTest, CallsThatChangeWantTheToken) {
  config_.admin_token_file = Path("tokens");
  Start();
  const auto admin = ConnectAdmin();
  EXPECT_EQ(Load(admin).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Load(admin, "Basic secret").error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Load(admin, "Bearer wrong").error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_TRUE(Load(admin, "Bearer secret").ok());
  // What only looks needs none, and elsewhere the token changes nothing.
  EXPECT_TRUE(Ask(admin).ok());
  const grpc::Status elsewhere = Load(ConnectMain(), "Bearer secret");
  EXPECT_EQ(elsewhere.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(elsewhere.error_message(), HasSubstr("admin address only"));
}

TEST_F(AccessTest, EveryCallThatChangesIsGuarded) {
  config_.admin_token_file = Path("tokens");
  Start();
  const auto channel = ConnectAdmin();
  const auto lazy = v1::LazyNetworkService::NewStub(channel);
  const auto open = Service::NewStub(channel);
  const auto code = [](auto&& call) {
    grpc::ClientContext context;
    return call(&context).error_code();
  };
  const auto unary = [&](auto& stub, auto method, const auto& request, auto response) {
    return code([&](auto* context) { return (stub.*method)(context, request, &response); });
  };
  using Lazy = v1::LazyNetworkService::Stub;
  const auto kRefused = grpc::StatusCode::UNAUTHENTICATED;
  EXPECT_EQ(unary(*lazy, &Lazy::InitializeParameters, v1::InitializeParametersRequest(),
                  v1::InitializeParametersResponse()),
            kRefused);
  EXPECT_EQ(unary(*lazy, &Lazy::ResetParameters, v1::ResetParametersRequest(),
                  v1::ResetParametersResponse()),
            kRefused);
  EXPECT_EQ(unary(*lazy, &Lazy::RegisterNetwork, v1::RegisterNetworkRequest(),
                  v1::RegisterNetworkResponse()),
            kRefused);
  EXPECT_EQ(unary(*lazy, &Lazy::UnregisterNetwork, v1::UnregisterNetworkRequest(),
                  v1::UnregisterNetworkResponse()),
            kRefused);
  EXPECT_EQ(unary(*lazy, &Lazy::SaveCheckpoint, v1::SaveCheckpointRequest(),
                  v1::SaveCheckpointResponse()),
            kRefused);
  EXPECT_EQ(
      unary(*lazy, &Lazy::LoadCheckpoint, v1::LoadCheckpointRequest(), v1::LoadStateDictResponse()),
      kRefused);
  EXPECT_EQ(code([&](auto* context) {
              v1::LoadStateDictResponse response;
              const auto writer = lazy->LoadStateDict(context, &response);
              writer->WritesDone();
              return writer->Finish();
            }),
            kRefused);
  v1::DescribePlanRequest profile;
  profile.set_profile_runs(1);
  EXPECT_EQ(unary(*lazy, &Lazy::DescribePlan, profile, v1::DescribePlanResponse()), kRefused);
  EXPECT_EQ(
      unary(*open, &Service::Stub::RepositoryModelUnload, inference::RepositoryModelUnloadRequest(),
            inference::RepositoryModelUnloadResponse()),
      kRefused);
  inference::LogSettingsRequest settings;
  (*settings.mutable_settings())["log_info"].set_bool_param(true);
  EXPECT_EQ(unary(*open, &Service::Stub::LogSettings, settings, inference::LogSettingsResponse()),
            kRefused);
}

TEST_F(AccessTest, CallsThatChangeWantACertificateWithTheName) {
  config_.tls_client_ca = Path("ca.pem");
  config_.admin_client_names = {"operator.example", "root"};
  Start();
  const auto load_as = [&](const std::string& common, const std::string& alternative) {
    return Load(
        ConnectAdmin(clients_.Issue({.common_name = common, .alternative_names = alternative})));
  };
  EXPECT_TRUE(load_as("x", "DNS:other.example,DNS:operator.example").ok());
  EXPECT_TRUE(load_as("root", "").ok());
  // The common name does not count beside alternative ones.
  const grpc::Status denied = load_as("root", "DNS:other.example");
  EXPECT_EQ(denied.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(denied.error_message(),
              AllOf(HasSubstr("--admin-client-names"), HasSubstr("other.example")));
  EXPECT_EQ(load_as("nobody", "").error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(AccessTest, NameAndTokenAreBothAskedFor) {
  config_.tls_client_ca = Path("ca.pem");
  config_.admin_client_names = {"root"};
  config_.admin_token_file = Path("tokens");
  Start();
  const auto root = ConnectAdmin(clients_.Issue({.common_name = "root"}));
  EXPECT_EQ(Load(root).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_TRUE(Load(root, "Bearer secret").ok());
  const auto other = ConnectAdmin(clients_.Issue({.common_name = "other"}));
  EXPECT_EQ(Load(other, "Bearer secret").error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(AccessTest, TokensAreForPlainTextToo) {
  config_.tls_certificate = config_.tls_key = "";
  config_.admin_token_file = Path("tokens");
  Start();
  EXPECT_EQ(Load(live_->AdminChannel()).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_TRUE(Load(live_->AdminChannel(), "Bearer secret").ok());
}

TEST_F(AccessTest, FilesThatCannotBeUsedStopTheStart) {
  config::ServerConfig config = config_;
  config.tls_key = Path("none.key");
  EXPECT_EQ(Message(StartError(config, repository_.path())),
            "--tls-key: " + Path("none.key") + ": No such file or directory");
  config = config_;
  config.tls_client_ca = Path("tokens");
  EXPECT_THAT(std::string(Message(StartError(config, repository_.path()))),
              HasSubstr("--tls-client-ca " + Path("tokens") + ": "));
  config = config_;
  config.admin_client_ca = Path("tokens");
  EXPECT_THAT(std::string(Message(StartError(config, repository_.path()))),
              HasSubstr("--admin-client-ca " + Path("tokens") + ": "));
  config = config_;
  config.admin_token_file = Path("none");
  EXPECT_THAT(std::string(Message(StartError(config, repository_.path()))),
              HasSubstr("--admin-token-file: " + Path("none")));
}

TEST_F(AccessTest, SettingsThatContradictStopTheStart) {
  config::ServerConfig config = config_;
  config.admin_client_names = {"root"};
  EXPECT_EQ(Message(StartError(config, repository_.path())),
            "--admin-client-names wants --tls-client-ca or --admin-client-ca");
  config = config_;
  config.admin_client_ca = Path("operators.pem");
  config.grpc_address = config.admin_address = "127.0.0.1:9";
  EXPECT_THAT(std::string(Message(StartError(config, repository_.path()))),
              HasSubstr("--admin-client-ca wants an --admin-address that is not --grpc-address"));
}

}  // namespace
}  // namespace lazynet
