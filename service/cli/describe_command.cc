#include "service/cli/commands.h"
#include "service/cli/dot_report.h"
#include "service/cli/named_inputs.h"
#include "service/cli/plan_format.h"
#include "service/cli/svg_report.h"

namespace lazynet::cli {
namespace {

ExitCode DescribePlan(Session& session) {
  const Options& options = session.options();
  v1::DescribePlanRequest request;
  request.set_name(options.model);
  request.set_version(options.version);
  request.set_profile_runs(options.profile_runs);
  if (const auto failed = AddInputs(session, *request.mutable_inputs())) return *failed;
  const auto response = session.client().DescribePlan(request);
  if (!response.ok()) return session.CallFailed(response.status());
  if (absl::Status status = CheckPlan(*response); !status.ok()) return session.AnswerFailed(status);
  switch (options.plan_format) {
    case PlanFormat::kText:
      text::Print(*response, session.out());
      break;
    case PlanFormat::kJson:
      json::Print(*response, session.out());
      break;
    case PlanFormat::kDot:
      dot::Print(*response, session.out());
      break;
    case PlanFormat::kSvg:
      svg::Print(*response, session.out());
      break;
  }
  return kDone;
}

}  // namespace

ExitCode Describe(Session& session) {
  const Options& options = session.options();
  if (options.plan) return DescribePlan(session);
  return session.Show(session.client().DescribeNetwork(options.model, options.version));
}

}  // namespace lazynet::cli
