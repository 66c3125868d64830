#pragma once

#include <iosfwd>
#include <string>

#include "proto/inference.pb.h"
#include "proto/lazynet/v1/lazynet.pb.h"
#include "service/cli/answer.h"
#include "service/cli/load_report.h"
#include "service/cli/network_check.h"
#include "service/cli/server_load.h"
#include "service/cli/state_dict.h"
#include "service/cli/state_dict_diff.h"

// What commands print with --json: one document, whose keys are the protocol's names, or those of
// its REST form. Keys are only ever added.
namespace lazynet::cli::json {

void Print(const inference::RepositoryIndexResponse& response, std::ostream& out);
void Print(const inference::ModelMetadataResponse& response, std::ostream& out);

// Sizes that are not known are -1. Enum values are lower-case; what is absent is null.
void Print(const v1::DescribeNetworkResponse& response, std::ostream& out);

// What was not measured, or is not known without kernels, is null.
void Print(const v1::DescribePlanResponse& response, std::ostream& out);

// What changes answered.
void Print(const v1::InitializeParametersResponse& response, std::ostream& out);
void Print(const v1::LoadStateDictResponse& response, std::ostream& out);
void Print(const v1::SaveCheckpointResponse& response, std::ostream& out);
void Print(const v1::ResetParametersResponse& response, std::ostream& out);
void Print(const v1::RegisterNetworkResponse& response, std::ostream& out);
void Print(const v1::UnregisterNetworkResponse& response, std::ostream& out);

// One of the many documents of `watch`.
void Print(const v1::NetworkEvent& event, std::ostream& out);

// `largest_difference` is null unless there are values of one datatype and shape to compare.
void Print(const StateDictDiff& diff, std::ostream& out);
// Sizes that are not known are -1, anything else is null.
void Print(const CheckedNetwork& network, std::ostream& out);

void Print(const SavedStateDict& saved, std::ostream& out);

// Times in ns. `rate` is null for a closed loop, `clients` for an open one, `server` and `cold`
// when it does not tell. `items` and `first_answer_ns` beside the model are those of the first
// kind.
void Print(const LoadReport& report, std::ostream& out);

// What is not known is null.
void Print(const ServerLoad& load, std::ostream& out);

// Outputs have `data`, flat and row-major, or `file` where they were written to one. Floats come as
// the shortest text that reads back to the same value; "NaN", "Infinity" and "-Infinity" as text.
void Print(const Answer& answer, std::ostream& out);

void PrintHealth(const std::string& service, const std::string& status, std::ostream& out);

}  // namespace lazynet::cli::json
