#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "proto/inference.pb.h"
#include "proto/lazynet/v1/lazynet.pb.h"
#include "service/cli/answer.h"
#include "service/cli/load_report.h"
#include "service/cli/network_check.h"
#include "service/cli/server_load.h"
#include "service/cli/state_dict.h"
#include "service/cli/state_dict_diff.h"
#include "service/cli/terminal.h"

// What commands print for people. The form may change; --json is for programs.
namespace lazynet::cli::text {

void Print(const inference::RepositoryIndexResponse& response, std::ostream& out);
void Print(const inference::ModelMetadataResponse& response, std::ostream& out);
void Print(const v1::DescribeNetworkResponse& response, std::ostream& out);
// Steps in the order of execution, totals and, if it was measured, sums by op.
void Print(const v1::DescribePlanResponse& response, std::ostream& out);

// What changes answered, or, if they only validated, would have.
void Print(const v1::InitializeParametersResponse& response, bool validate_only, std::ostream& out);
void Print(const v1::LoadStateDictResponse& response, bool validate_only, std::ostream& out);
void Print(const v1::SaveCheckpointResponse& response, const std::string& checkpoint,
           std::ostream& out);
void Print(const v1::ResetParametersResponse& response, const std::string& model,
           std::ostream& out);
void Print(const v1::RegisterNetworkResponse& response, const std::string& model,
           std::ostream& out);
void Print(const v1::UnregisterNetworkResponse& response, const std::string& model,
           std::ostream& out);

// A line.
void Print(const v1::NetworkEvent& event, std::ostream& out);

// The keys that differ, with what each side has; `a` and `b` are what the sides are called.
void Print(const StateDictDiff& diff, const std::string& a, const std::string& b,
           std::ostream& out);
// A table of the layers, and totals.
void Print(const CheckedNetwork& network, std::ostream& out);

void Print(const SavedStateDict& saved, std::ostream& out);

// A line for each level of load.
void Print(const LoadReport& report, std::ostream& out);

// A frame of `top`: lines of at most as many columns and rows as the terminal has, where 0 rows
// leave room for all models. `now`: seconds since 1970.
std::vector<std::string> TopFrame(const ServerLoad& load, const std::string& address, double now,
                                  TerminalSize size);

// Each output as a table: a row per row of its innermost axis, cut to `width` characters and to
// `rows` rows (0 = all), with the index of its largest value for outputs of rank 2. Outputs that
// were written to files are named only.
void Print(const Answer& answer, int width, int rows, std::ostream& out);

}  // namespace lazynet::cli::text
