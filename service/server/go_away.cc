#include "service/server/go_away.h"

#include <grpc/byte_buffer.h>
#include <grpc/slice.h>
#include <grpcpp/version_info.h>

#include <cstdint>

// grpc_core::Server::SendGoaways(), of gRPC's library, by its name there, since no header for it is
// installed; a grpc_server is such a Server. No call that gRPC declares does this: Shutdown refuses
// calls from the same moment on; cancelling breaks connections; closing one for its age, the only
// other reason for a GOAWAY, is set before the start; and a channel argument, filter or interceptor
// does not reach the transport. Weak, so that a library without it can be linked.
extern "C" void LazynetSendGoaways(void* server) __asm__("_ZN9grpc_core6Server11SendGoawaysEv")
    __attribute__((weak));

static_assert(GRPC_CPP_VERSION_MAJOR == 1 && GRPC_CPP_VERSION_MINOR == 51,
              "see whether grpc_core::Server still has SendGoaways, and what it wants");

namespace lazynet::server {

void TellClientsToGo(grpc_server& server) {
  if (LazynetSendGoaways == nullptr) return;  // that of Shutdown has to do
  // It wants a context of execution, which only the library can make: there is one where a buffer
  // lets go of its slices.
  static uint8_t nothing = 0;
  grpc_slice slice =
      grpc_slice_new_with_user_data(&nothing, sizeof(nothing), LazynetSendGoaways, &server);
  grpc_byte_buffer* buffer = grpc_raw_byte_buffer_create(&slice, 1);
  grpc_slice_unref(slice);
  grpc_byte_buffer_destroy(buffer);
}

}  // namespace lazynet::server
