"""The networks of ../shared/data in the definition language, all sizes left out.

Names are those of their state dicts, but where KEYS says otherwise.
"""
import re

DIGITS = '''
layers { name: "conv1" conv2d { out_channels: 16 kernel_size: 3 padding: 1 bias: false } }
layers { name: "bn1" batch_norm2d {} }
layers { name: "relu1" relu {} }
layers { name: "pool1" max_pool2d { kernel_size: 2 } }
layers { name: "conv2" conv2d { out_channels: 32 kernel_size: 3 padding: 1 bias: false } }
layers { name: "bn2" batch_norm2d {} }
layers { name: "relu2" relu {} }
layers { name: "pool2" max_pool2d { kernel_size: 2 } }
layers { name: "conv3" conv2d { out_channels: 32 kernel_size: 3 } }
layers { name: "relu3" relu {} }
layers { name: "flatten" flatten {} }
layers { name: "fc1" linear { out_features: 64 } }
layers { name: "relu4" relu {} }
layers { name: "drop" dropout { p: 0.25 } }
layers { name: "fc2" linear { out_features: 10 } }
'''

AUTOENCODER = '''
layers { name: "enc1" conv2d { out_channels: 16 kernel_size: 3 stride: 2 padding: 1 } }
layers { name: "in1" instance_norm2d { affine: true track_running_stats: false } }
layers { name: "act1" leaky_relu { negative_slope: 0.1 } }
layers { name: "enc2" conv2d { out_channels: 32 kernel_size: 3 stride: 2 padding: 1 } }
layers { name: "gn2" group_norm { num_groups: 4 } }
layers { name: "act2" silu {} }
layers { name: "mid" conv2d { out_channels: 32 kernel_size: 3 padding: 2 dilation: 2 groups: 4 } }
layers { name: "act3" elu {} }
layers { name: "sum" inputs: "act2" inputs: "act3" add {} }
layers { name: "dec1" conv_transpose2d { out_channels: 16 kernel_size: 3 stride: 2 padding: 1
                                         output_padding: 1 } }
layers { name: "bn1" batch_norm2d {} }
layers { name: "act4" hardswish {} }
layers { name: "dec2" conv_transpose2d { out_channels: 1 kernel_size: 4 stride: 2 padding: 1 } }
layers { name: "sigmoid" sigmoid {} }
'''

# The last step of a layer is its state, so each of the two is a layer of its own.
ROW_LSTM = '''
layers { name: "lstm0" lstm { hidden_size: 48 batch_first: true } }
layers { name: "lstm1" lstm { hidden_size: 48 batch_first: true } }
layers { name: "last" inputs: "lstm1:h_n" flatten { start_dim: 0 end_dim: 1 } }
layers { name: "norm" layer_norm {} }
layers { name: "fc" linear { out_features: 10 } }
'''

# The mean over the steps of [N, 28, 64] is that over the height of N pictures.
ROW_BIGRU = '''
layers { name: "gru" gru { hidden_size: 32 batch_first: true bidirectional: true } }
layers { name: "mean" adaptive_avg_pool2d { output_size: [1, -1] } }
layers { name: "flatten" flatten {} }
layers { name: "fc" linear { out_features: 10 } }
'''

WINE = '''
layers { name: "0" batch_norm1d {} }
layers { name: "1" linear { out_features: 24 } }
layers { name: "2" prelu {} }
layers { name: "3" linear { out_features: 16 } }
layers { name: "4" layer_norm {} }
layers { name: "5" tanh {} }
layers { name: "6" linear { out_features: 3 } }
layers { name: "7" softmax { dim: 1 } }
'''

PNET = '''
layers { name: "conv1" conv2d { out_channels: 10 kernel_size: 3 } }
layers { name: "prelu1" prelu { num_parameters: IN_CHANNELS } }
layers { name: "pool1" max_pool2d { kernel_size: 2 ceil_mode: true } }
layers { name: "conv2" conv2d { out_channels: 16 kernel_size: 3 } }
layers { name: "prelu2" prelu { num_parameters: IN_CHANNELS } }
layers { name: "conv3" conv2d { out_channels: 32 kernel_size: 3 } }
layers { name: "prelu3" prelu { num_parameters: IN_CHANNELS } }
layers { name: "conv4_1" conv2d { out_channels: 2 kernel_size: 1 } }
layers { name: "prob" softmax { dim: 1 } }
layers { name: "conv4_2" inputs: "prelu3" conv2d { out_channels: 4 kernel_size: 1 } }
outputs { name: "prob" layer: "prob" }
outputs { name: "box" layer: "conv4_2" }
'''

RNET = '''
layers { name: "conv1" conv2d { out_channels: 28 kernel_size: 3 } }
layers { name: "prelu1" prelu { num_parameters: IN_CHANNELS } }
layers { name: "pool1" max_pool2d { kernel_size: 3 stride: 2 ceil_mode: true } }
layers { name: "conv2" conv2d { out_channels: 48 kernel_size: 3 } }
layers { name: "prelu2" prelu { num_parameters: IN_CHANNELS } }
layers { name: "pool2" max_pool2d { kernel_size: 3 stride: 2 ceil_mode: true } }
layers { name: "conv3" conv2d { out_channels: 64 kernel_size: 2 } }
layers { name: "prelu3" prelu { num_parameters: IN_CHANNELS } }
layers { name: "flatten" flatten {} }
layers { name: "dense4" linear { out_features: 128 } }
layers { name: "prelu4" prelu { num_parameters: IN_CHANNELS } }
layers { name: "dense5_1" linear { out_features: 2 } }
layers { name: "prob" softmax { dim: 1 } }
layers { name: "dense5_2" inputs: "prelu4" linear { out_features: 4 } }
outputs { name: "prob" layer: "prob" }
outputs { name: "box" layer: "dense5_2" }
'''

ESPCN = '''
layers { name: "conv1" conv2d { out_channels: 64 kernel_size: 5 padding: 2 } }
layers { name: "relu1" relu {} }
layers { name: "conv2" conv2d { out_channels: 64 kernel_size: 3 padding: 1 } }
layers { name: "relu2" relu {} }
layers { name: "conv3" conv2d { out_channels: 32 kernel_size: 3 padding: 1 } }
layers { name: "relu3" relu {} }
layers { name: "conv4" conv2d { out_channels: 9 kernel_size: 3 padding: 1 } }
layers { name: "shuffle" pixel_shuffle { upscale_factor: 3 } }
'''

# The graph of ONNX's file: its biases are nodes of their own, and 5x5 kernels with SAME_UPPER are
# padded by 2 on all sides.
MNIST_8 = '''
layers { name: "conv1" conv2d { out_channels: 8 kernel_size: 5 auto_padding: "same" } }
layers { name: "relu1" relu {} }
layers { name: "pool1" max_pool2d { kernel_size: 2 } }
layers { name: "conv2" conv2d { out_channels: 16 kernel_size: 5 auto_padding: "same" } }
layers { name: "relu2" relu {} }
layers { name: "pool2" max_pool2d { kernel_size: 3 } }
layers { name: "flatten" flatten {} }
layers { name: "fc" linear { out_features: 10 } }
'''


def block(name, source, channels, stride):
    """One of ResNet-20, with its shortcut where it halves the picture."""
    conv = f"conv2d {{ out_channels: {channels} kernel_size: 3 padding: 1 bias: false"
    text = f'''
layers {{ name: "{name}.conv1" inputs: "{source}" {conv} stride: {stride} }} }}
layers {{ name: "{name}.bn1" batch_norm2d {{}} }}
layers {{ name: "{name}.relu1" relu {{}} }}
layers {{ name: "{name}.conv2" {conv} }} }}
layers {{ name: "{name}.bn2" batch_norm2d {{}} }}
'''
    if stride > 1:
        text += (f'layers {{ name: "{name}.shortcut" inputs: "{source}" conv2d {{ out_channels: '
                 f"{channels} kernel_size: 1 stride: {stride} bias: false }} }}\n")
        source = f"{name}.shortcut"
    return text + f'''
layers {{ name: "{name}.sum" inputs: "{name}.bn2" inputs: "{source}" add {{}} }}
layers {{ name: "{name}" relu {{}} }}
'''


def resnet20():
    text = '''
layers { name: "conv1" conv2d { out_channels: 16 kernel_size: 3 padding: 1 bias: false } }
layers { name: "bn1" batch_norm2d {} }
layers { name: "relu" relu {} }
'''
    source = "relu"
    for stage, channels in ((1, 16), (2, 32), (3, 64)):
        for i in range(3):
            name = f"layer{stage}.{i}"
            text += block(name, source, channels, 2 if stage > 1 and i == 0 else 1)
            source = name
    return text + '''
layers { name: "pool" adaptive_avg_pool2d { output_size: 1 } }
layers { name: "flatten" flatten {} }
layers { name: "linear" linear { out_features: 10 } }
'''


def recurrent(kind):
    return f'''
layers {{ name: "{kind}" {kind} {{ hidden_size: 8 }} }}
layers {{ name: "{kind}2" {kind} {{ hidden_size: 8 num_layers: 3 }} }}
layers {{ name: "dense" linear {{ out_features: 1 }} }}
'''


def single(layer):
    return f'layers {{ name: "layer" {layer} }}\n'


PATCH_TRANSFORMER = '''
layers { name: "patch" conv2d { out_channels: 32 kernel_size: 7 stride: 7 } }
layers { name: "flat" flatten { start_dim: 2 } }
layers { name: "patches" transpose { dim0: 1 dim1: 2 } }
layers { name: "pos.weight" parameter { shape: [16, 32] } }
layers { name: "placed" inputs: "patches" inputs: "pos.weight" add {} }
layers {
  name: "encoder.layers.0"
  transformer_encoder_layer {
    nhead: 4 dim_feedforward: 64 activation: "gelu" batch_first: true norm_first: true
  }
}
layers {
  name: "encoder.layers.1"
  transformer_encoder_layer {
    nhead: 4 dim_feedforward: 64 activation: "gelu" batch_first: true norm_first: true
  }
}
layers { name: "encoder.norm" layer_norm {} }
layers { name: "mean" mean { dim: 1 } }
layers { name: "head" linear { out_features: 10 } }
'''

# Folder/file: definition.
NETWORKS = {
    "cifar-resnet20/model-f16": resnet20(),
    "espcn-x3/model": ESPCN,
    "mnist-lazy-cnn/model": DIGITS,
    "mnist-lazy-cnn/model-f16": DIGITS,
    "mnist-lazy-cnn/model-bf16": DIGITS,
    "mnist-more/autoencoder": AUTOENCODER,
    "mnist-more/patch-transformer": PATCH_TRANSFORMER,
    "mnist-more/row-lstm": ROW_LSTM,
    "mnist-more/row-bigru": ROW_BIGRU,
    "mtcnn/pnet": PNET,
    "mtcnn/rnet": RNET,
    "onnx-mnist-8/mnist-8": MNIST_8,
    "rtneural/gru": recurrent("gru"),
    "rtneural/lstm": recurrent("lstm"),
    "rtneural/conv1d": single("conv1d { out_channels: 12 kernel_size: 5 }"),
    "rtneural/conv1d-stride3": single("conv1d { out_channels: 12 kernel_size: 5 stride: 3 }"),
    "rtneural/conv1d-group3": single("conv1d { out_channels: 3 kernel_size: 3 groups: 3 }"),
    "rtneural/conv1d-group3-dilation10": single(
        "conv1d { out_channels: 3 kernel_size: 4 dilation: 10 groups: 3 }"),
    "rtneural/conv1d-depthwise": single(
        "conv1d { out_channels: 6 kernel_size: 1 groups: IN_CHANNELS }"),
    "rtneural/convtranspose1d": single(
        "conv_transpose1d { out_channels: 15 kernel_size: 5 stride: 3 padding: 3 }"),
    "wine-mlp/model": WINE,
}

# Keys of MNIST_8 by the names in the ONNX file, which has other shapes for some.
ONNX_KEYS = {
    "Parameter5": "conv1.weight", "Parameter6": "conv1.bias", "Parameter87": "conv2.weight",
    "Parameter88": "conv2.bias", "Parameter193": "fc.weight", "Parameter194": "fc.bias",
}

# Keys of a state dict that are not the names above: patterns and what they become. Files without
# an entry are served as they are.
KEYS = {
    "mnist-more/row-lstm": [(r"^lstm\.(\w+)_l([01])$", r"lstm\2.\1_l0")],
    **{name: [(r"^(weight|bias)$", r"layer.\1")] for name, text in NETWORKS.items()
       if '"layer"' in text},
}


def from_onnx(arrays):
    """The state dict of MNIST_8 from the file's arrays by name."""
    tensors = {ONNX_KEYS[name]: array for name, array in arrays.items() if name in ONNX_KEYS}
    tensors["fc.weight"] = tensors["fc.weight"].reshape(256, 10).T
    return {key: array.reshape(-1) if key.endswith("bias") else array
            for key, array in tensors.items()}


def renamed(name, tensors):
    for pattern, replacement in KEYS.get(name, []):
        tensors = {re.sub(pattern, replacement, key): value for key, value in tensors.items()}
    return tensors
