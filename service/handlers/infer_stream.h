#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>

#include "service/handlers/completion_tag.h"
#include "service/handlers/inference_service.h"
#include "service/handlers/rpc_record.h"

namespace lazynet::handlers {

// One ModelStreamInfer: many requests, of any models, and their answers in the same order. Up to
// kMostAtATime of them are worked on together; the next is read when one has been answered. An
// error is the answer to its request, in error_message with the request's id, and the stream goes
// on; where the client's metadata says triton_grpc_error: true, it ends the stream as its status.
//
// The call's deadline is that of each of its requests. Deletes itself when gRPC is done with it and
// no request is under way; requests of a stream that was cancelled are not computed.
class InferStream {
 public:
  static constexpr size_t kMostAtATime = 16;

  // Asks gRPC for the next ModelStreamInfer.
  static void Listen(InferenceService& service, grpc::ServerCompletionQueue& queue);

  // Reads no more, and ends the stream as UNAVAILABLE when what was read has been answered.
  void Drain();

 private:
  class Request;

  // What an operation on the stream is answered to. The calls come one at a time, on the poller.
  class Tag final : public CompletionTag {
   public:
    using Method = void (InferStream::*)(bool ok);
    Tag(InferStream& stream, Method method) : stream_(stream), method_(method) {}
    void Proceed(bool ok) override { (stream_.*method_)(ok); }

   private:
    InferStream& stream_;
    const Method method_;
  };

  // A request that was read, until its answer is written.
  struct Turn {
    std::unique_ptr<Request> request;
    bool answered = false;
    absl::Status status;  // that ends the stream
    grpc::ByteBuffer response;
  };

  InferStream(InferenceService& service, grpc::ServerCompletionQueue& queue);

  void Started(bool ok);
  void Read(bool ok);
  void Written(bool ok);
  void Finished(bool ok);
  void Over(bool ok);

  void DeleteWhenFinished();
  void Answer(Turn& turn, const absl::Status& status, const grpc::ByteBuffer& response);
  void ReadNext();  // with mutex_ held, as the next two
  void WriteNext();
  void FinishWhenDone();

  InferenceService& service_;
  grpc::ServerCompletionQueue& queue_;
  grpc::ServerContext context_;
  grpc::ServerAsyncReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer> stream_;
  Tag started_, read_, written_, finished_, over_;
  std::atomic<bool> cancelled_ = false;

  std::mutex mutex_;  // guards all below
  grpc::ByteBuffer next_;
  RpcRecord record_;
  std::deque<Turn> turns_;  // oldest first; elements stay where they are
  size_t unanswered_ = 0;   // of them
  bool reading_ = false;
  bool writing_ = false;
  bool reads_ended_ = false;    // the client has sent all, or is gone
  bool broken_ = false;         // nothing more can be written
  bool ends_on_error_ = false;  // triton_grpc_error
  bool finishing_ = false;
  bool finished_with_ = false;  // and did
  bool is_over_ = false;        // by gRPC's word
  grpc::Status status_;         // that the stream ends with
};

}  // namespace lazynet::handlers
