#pragma once

struct grpc_server;

namespace lazynet::server {

// Tells all clients of a server that serves on to go elsewhere (HTTP/2's GOAWAY, as gracefully as
// it is meant): calls that they started before they heard are taken. What is shut down without it
// ends such calls as CANCELLED, which no client tries again (grpc/grpc issue 41785).
void TellClientsToGo(grpc_server& server);

}  // namespace lazynet::server
