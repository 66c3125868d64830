#include "service/server/go_away.h"

#include <grpc/byte_buffer.h>
#include <grpc/slice.h>

#include <cstdint>

namespace grpc_core {

// gRPC's library has this, but no header for it. A grpc_server is one.
class Server {
 public:
  void SendGoaways();
};

}  // namespace grpc_core

namespace lazynet::server {

void TellClientsToGo(grpc_server& server) {
  // It wants a context of execution, which only the library can make: there is one where a buffer
  // lets go of its slices.
  static uint8_t nothing = 0;
  grpc_slice slice = grpc_slice_new_with_user_data(
      &nothing, sizeof(nothing),
      [](void* told) { static_cast<grpc_core::Server*>(told)->SendGoaways(); }, &server);
  grpc_byte_buffer* buffer = grpc_raw_byte_buffer_create(&slice, 1);
  grpc_slice_unref(slice);
  grpc_byte_buffer_destroy(buffer);
}

}  // namespace lazynet::server
