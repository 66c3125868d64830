#include "tests/engine/backend/op_goldens.h"

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

namespace lazynet::backend {
namespace {

using nlohmann::json;

AxisVector Axes(const json& numbers) { return {numbers.begin(), numbers.end()}; }

double Number(const json& value) {
  return value.is_string() ? std::stod(value.get<std::string>()) : value.get<double>();
}

Shape ShapeOf(const json& tensor) {
  return Shape(Shape::Dims(tensor["shape"].begin(), tensor["shape"].end()));
}

template <typename T>
std::vector<T> ValuesOf(const json& tensor) {
  std::vector<T> values;
  for (const json& value : tensor["values"]) values.push_back(static_cast<T>(Number(value)));
  return values;
}

Eltwise::Algorithm EltwiseAlgorithm(const std::string& name) {
  using enum Eltwise::Algorithm;
  static const std::map<std::string, Eltwise::Algorithm> kAlgorithms = {
      {"relu", kRelu},
      {"clamp", kClamp},
      {"leaky_relu", kLeakyRelu},
      {"elu", kElu},
      {"gelu_erf", kGeluErf},
      {"gelu_tanh", kGeluTanh},
      {"silu", kSilu},
      {"mish", kMish},
      {"hardswish", kHardswish},
      {"hardsigmoid", kHardsigmoid},
      {"sigmoid", kSigmoid},
      {"tanh", kTanh},
      {"softplus", kSoftplus},
      {"linear", kLinear},
      {"celu", kCelu},
      {"log_sigmoid", kLogSigmoid},
      {"softsign", kSoftsign},
      {"hardshrink", kHardshrink},
      {"softshrink", kSoftshrink},
      {"threshold", kThreshold},
      {"abs", kAbs},
      {"negate", kNegate},
      {"sign", kSign},
      {"exp", kExp},
      {"expm1", kExpm1},
      {"log", kLog},
      {"log2", kLog2},
      {"log10", kLog10},
      {"log1p", kLog1p},
      {"sqrt", kSqrt},
      {"rsqrt", kRsqrt},
      {"reciprocal", kReciprocal},
      {"floor", kFloor},
      {"ceil", kCeil},
      {"round", kRound},
      {"trunc", kTrunc},
      {"sin", kSin},
      {"cos", kCos},
      {"tan", kTan},
      {"atan", kAtan},
      {"erf", kErf},
  };
  return kAlgorithms.at(name);
}

Binary::Algorithm BinaryAlgorithm(const std::string& name) {
  using enum Binary::Algorithm;
  static const std::map<std::string, Binary::Algorithm> kAlgorithms = {
      {"add", kAdd},
      {"sub", kSub},
      {"mul", kMul},
      {"div", kDiv},
      {"max", kMax},
      {"min", kMin},
      {"pow", kPow},
      {"floor_divide", kFloorDivide},
      {"remainder", kRemainder},
      {"fmod", kFmod},
  };
  return kAlgorithms.at(name);
}

Reduction::Algorithm ReductionAlgorithm(const std::string& name) {
  using enum Reduction::Algorithm;
  static const std::map<std::string, Reduction::Algorithm> kAlgorithms = {
      {"sum", kSum}, {"mean", kMean},         {"prod", kProd}, {"max", kMax},
      {"min", kMin}, {"variance", kVariance}, {"norm", kNorm}, {"logsumexp", kLogSumExp},
  };
  return kAlgorithms.at(name);
}

Normalization::Statistics StatisticsOf(const std::string& name) {
  if (name == "given") return Normalization::Statistics::kGiven;
  if (name == "per_batch") return Normalization::Statistics::kPerBatch;
  if (name == "per_group") return Normalization::Statistics::kPerGroup;
  LAZYNET_CHECK(name == "per_instance");
  return Normalization::Statistics::kPerInstance;
}

Pad::Mode PadMode(const std::string& name) {
  if (name == "reflect") return Pad::Mode::kReflect;
  if (name == "replicate") return Pad::Mode::kReplicate;
  if (name == "constant") return Pad::Mode::kConstant;
  LAZYNET_CHECK(name == "circular");
  return Pad::Mode::kCircular;
}

Resampling::Mode ResamplingMode(const std::string& name) {
  using enum Resampling::Mode;
  static const std::map<std::string, Resampling::Mode> kModes = {
      {"nearest", kNearest},
      {"nearest_exact", kNearestExact},
      {"linear", kLinear},
      {"cubic", kCubic},
      {"antialiased_linear", kAntialiasedLinear},
      {"antialiased_cubic", kAntialiasedCubic},
  };
  return kModes.at(name);
}

Recurrent::Cell CellOf(const std::string& name) {
  if (name == "rnn_tanh") return Recurrent::Cell::kRnnTanh;
  if (name == "rnn_relu") return Recurrent::Cell::kRnnRelu;
  if (name == "lstm") return Recurrent::Cell::kLstm;
  LAZYNET_CHECK(name == "gru");
  return Recurrent::Cell::kGru;
}

OpKind Kind(const std::string& op, const json& a) {
  if (op == "inner_product") return InnerProduct{};
  if (op == "adaptive_pooling") return AdaptiveAveragePooling{};
  if (op == "prelu") return Prelu{};
  if (op == "concat") return Concat{a["axis"]};
  if (op == "softmax") return Softmax{a["axis"], a["log"]};
  if (op == "eltwise") return Eltwise{EltwiseAlgorithm(a["algorithm"]), a["alpha"], a["beta"]};
  if (op == "normalization") {
    return Normalization{StatisticsOf(a["statistics"]), a["eps"], a.value("groups", int64_t{1})};
  }
  if (op == "layer_normalization") return LayerNormalization{a["eps"], a["rms"]};
  if (op == "matmul") return MatMul{a["transpose_b"], a["alpha"]};
  if (op == "permute") return Permute{Axes(a["order"])};
  if (op == "slice") return Slice{Axes(a["begin"]), Axes(a.value("step", json::array()))};
  if (op == "expand") return Expand{};
  if (op == "triangle") return Triangle{a["upper"], a["diagonal"]};
  if (op == "adaptive_max_pooling") return AdaptiveMaxPooling{};
  if (op == "lrn") return LocalResponseNormalization{a["size"], a["alpha"], a["beta"], a["k"]};
  if (op == "resampling") {
    return Resampling{ResamplingMode(a["mode"]), a["align_corners"], a["scales"]};
  }
  if (op == "unfold") {
    return Unfold{Axes(a["kernel"]), Axes(a["strides"]), Axes(a["dilations"]), Axes(a["padding"])};
  }
  if (op == "fold") {
    return Fold{Axes(a["kernel"]), Axes(a["strides"]), Axes(a["dilations"]), Axes(a["padding"])};
  }
  if (op == "recurrent") return Recurrent{CellOf(a["cell"]), a["reverse"]};
  if (op == "pad") {
    return Pad{PadMode(a["mode"]), Axes(a["before"]), Axes(a["after"]),
               a.contains("value") ? Number(a["value"]) : 0};
  }
  if (op == "binary") return Binary{BinaryAlgorithm(a["algorithm"])};
  if (op == "reduction") {
    return Reduction{ReductionAlgorithm(a["algorithm"]), Axes(a["axes"]), Number(a["p"]),
                     a["correction"]};
  }
  if (op == "cumsum") return Cumsum{a["axis"]};
  if (op == "topk") return TopK{a["axis"], a["largest"], TopK::Output::kValues};
  if (op == "convolution") {
    return Convolution{Axes(a["strides"]), Axes(a["dilations"]), Axes(a["padding_l"]),
                       Axes(a["padding_r"]), a["groups"]};
  }
  if (op == "deconvolution") {
    return Deconvolution{Axes(a["strides"]), Axes(a["dilations"]), Axes(a["padding"]), a["groups"]};
  }
  LAZYNET_CHECK(op == "pooling");
  Pooling pooling = {
      .kind = a["kind"] == "max" ? Pooling::Kind::kMax : Pooling::Kind::kAverage,
      .kernel = Axes(a["kernel"]),
      .strides = Axes(a["strides"]),
      .dilations = Axes(a["dilations"]),
      .padding = Axes(a["padding"]),
      .count_include_pad = a["count_include_pad"],
      .divisor_override = std::nullopt,
  };
  if (!a["divisor_override"].is_null()) pooling.divisor_override = a["divisor_override"];
  return pooling;
}

}  // namespace

std::vector<OpGolden> ReadOpGoldens(std::string_view op) {
  std::vector<OpGolden> goldens;
  for (const char* name : {"op_goldens.json", "movement_goldens.json"}) {
    std::ifstream file(std::string(LAZYNET_SOURCE_DIR "/tests/engine/backend/") + name);
    for (const json& item : json::parse(file)) {
      const std::string item_op = item["op"];
      if (!op.empty() && item_op != op) continue;
      OpGolden golden = {.name = item["name"],
                         .kind = Kind(item_op, item["attributes"]),
                         .inputs = {},
                         .output_shape = ShapeOf(item["output"]),
                         .expected = ValuesOf<double>(item["output"]),
                         .exact = item["exact"]};
      for (const json& input : item["inputs"]) {
        if (input.is_null()) {
          golden.inputs.push_back(testing::Absent());
        } else {
          golden.inputs.push_back(
              {testing::Values(ShapeOf(input), ValuesOf<float>(input)), input["constant"]});
        }
      }
      goldens.push_back(std::move(golden));
    }
  }
  return goldens;
}

}  // namespace lazynet::backend
