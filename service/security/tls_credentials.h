#pragma once

#include <grpcpp/security/server_credentials.h>

#include <memory>

#include "service/security/tls_identity.h"

namespace lazynet::security {

// Credentials of one listener. Each handshake uses what the identity holds at that moment; where it
// names a client CA, a client without a certificate of that CA is not let in. Connections that
// stand are not touched by a reload. To be kept for longer than the server that listens with them.
std::shared_ptr<grpc::ServerCredentials> MakeTlsCredentials(
    std::shared_ptr<const TlsIdentity> identity);

}  // namespace lazynet::security
