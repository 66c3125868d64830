#!/usr/bin/python3
"""Requests in the very forms in which tritonclient.grpc sends them, one test for each of its calls.

  tritonclient_forms_test.py SERVER_BINARY
"""
import pathlib
import shutil
import struct
import sys
import tempfile
import unittest
from multiprocessing import shared_memory

import grpc
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "python"))
import lazynet_process  # noqa: E402

STUBS = lazynet_process.make_stubs()
from proto import inference_pb2 as pb  # noqa: E402
from proto import inference_pb2_grpc  # noqa: E402

BINARY = sys.argv.pop(1)
MODELS = lazynet_process.ROOT / "deploy/models"
# As its channels are opened.
OPTIONS = [("grpc.max_send_message_length", 2**31 - 1),
           ("grpc.max_receive_message_length", 2**31 - 1)]


def texts(raw):
    """The elements of a raw BYTES tensor."""
    found, at = [], 0
    while at < len(raw):
        (length,) = struct.unpack_from("<I", raw, at)
        found.append(raw[at + 4:at + 4 + length].decode())
        at += 4 + length
    return found


class TritonClientForms(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="lazynet-models-")
        shutil.copytree(MODELS / "mnist", pathlib.Path(cls.folder.name) / "mnist")
        model = pathlib.Path(cls.folder.name) / "typed"
        model.mkdir()
        (model / "network.textproto").write_text(
            'inputs { name: "i" datatype: "INT64" } inputs { name: "h" datatype: "FP16" } '
            'layers { name: "y" inputs: "i" neg {} } layers { name: "z" inputs: "h" neg {} } '
            'outputs { name: "y" layer: "y" } outputs { name: "z" layer: "z" }')
        cls.server = lazynet_process.Server(BINARY, cls.folder.name, "--shared-memory")
        cls.server.__enter__()
        cls.channel = grpc.insecure_channel(f"127.0.0.1:{cls.server.grpc_port}", options=OPTIONS)
        cls.stub = inference_pb2_grpc.GRPCInferenceServiceStub(cls.channel)
        cls.admin_channel = grpc.insecure_channel(f"127.0.0.1:{cls.server.admin_port}",
                                                  options=OPTIONS)
        cls.admin = inference_pb2_grpc.GRPCInferenceServiceStub(cls.admin_channel)
        cls.images = np.linspace(0, 1, 2 * 784, dtype="f4").reshape(2, 1, 28, 28)
        cls.output = cls.stub.ModelMetadata(pb.ModelMetadataRequest(name="mnist")).outputs[0].name

    @classmethod
    def tearDownClass(cls):
        cls.channel.close()
        cls.admin_channel.close()
        cls.server.__exit__()
        cls.folder.cleanup()

    def request(self, raw=True):
        """infer() without options: what is empty is not set."""
        request = pb.ModelInferRequest()
        request.model_name = "mnist"
        request.model_version = ""
        tensor = pb.ModelInferRequest().InferInputTensor()
        tensor.name = "input"
        tensor.shape.extend(self.images.shape)
        tensor.datatype = "FP32"
        request.inputs.extend([tensor])
        if raw:
            request.raw_input_contents.extend([self.images.tobytes()])
        return request

    def logits(self):
        response = self.stub.ModelInfer(self.request())
        return np.frombuffer(response.raw_output_contents[0], "<f4").reshape(2, 10)

    def assert_refused(self, code, text, call):
        with self.assertRaises(grpc.RpcError) as error:
            call()
        self.assertEqual(error.exception.code(), code)
        self.assertIn(text, error.exception.details())

    def test_server_and_model_questions(self):
        self.assertTrue(self.stub.ServerLive(pb.ServerLiveRequest()).live)
        self.assertTrue(self.stub.ServerReady(pb.ServerReadyRequest()).ready)
        self.assertTrue(
            self.stub.ModelReady(pb.ModelReadyRequest(name="mnist", version="")).ready)
        self.assertFalse(
            self.stub.ModelReady(pb.ModelReadyRequest(name="nobody", version="")).ready)
        extensions = self.stub.ServerMetadata(pb.ServerMetadataRequest()).extensions
        self.assertLessEqual({"classification", "system_shared_memory", "model_repository"},
                             set(extensions))
        config = self.stub.ModelConfig(pb.ModelConfigRequest(name="mnist", version="")).config
        self.assertEqual(config.output[0].name, self.output)

    def test_infer_with_every_option(self):
        request = self.request()
        request.id = "my id"
        output = pb.ModelInferRequest().InferRequestedOutputTensor()
        output.name = self.output
        request.outputs.extend([output])
        request.parameters["sequence_id"].int64_param = 7
        request.parameters["sequence_start"].bool_param = True
        request.parameters["sequence_end"].bool_param = False
        request.parameters["priority"].uint64_param = 1
        request.parameters["timeout"].int64_param = 60_000_000
        request.parameters["text"].string_param = "x"
        request.parameters["flag"].bool_param = True
        request.parameters["number"].int64_param = -1
        request.parameters["fraction"].double_param = 0.5
        response = self.stub.ModelInfer(request, timeout=60)
        self.assertEqual(response.id, "my id")
        self.assertEqual(response.model_name, "mnist")
        self.assertEqual(response.model_version, "1")
        self.assertEqual(list(response.outputs[0].shape), [2, 10])
        self.assertEqual(len(response.raw_output_contents), 1)

    def test_datatypes_that_come_raw_only(self):
        request = pb.ModelInferRequest(model_name="typed")
        arrays = {"i": ("INT64", np.array([1, -2], "<i8")), "h": ("FP16", np.array([3], "<f2"))}
        for name, (datatype, array) in arrays.items():
            request.inputs.add(name=name, datatype=datatype, shape=array.shape)
            request.raw_input_contents.append(array.tobytes())
        response = self.stub.ModelInfer(request)
        self.assertEqual(np.frombuffer(response.raw_output_contents[0], "<i8").tolist(), [-1, 2])
        self.assertEqual(np.frombuffer(response.raw_output_contents[1], "<f2").tolist(), [-3])

    def test_compressed_requests(self):
        for compression in (grpc.Compression.Gzip, grpc.Compression.Deflate):
            response = self.stub.ModelInfer(self.request(), compression=compression)
            logits = np.frombuffer(response.raw_output_contents[0], "<f4").reshape(2, 10)
            np.testing.assert_allclose(logits, self.logits(), rtol=1e-4, atol=1e-4)

    def test_streams(self):
        requests = []
        for number in range(5):
            request = self.request()
            request.id = str(number)
            request.parameters["triton_enable_empty_final_response"].bool_param = True
            if number == 3:
                request.model_name = "nobody"
            requests.append(request)
        answers = list(self.stub.ModelStreamInfer(iter(requests)))
        self.assertEqual([answer.infer_response.id for answer in answers], list("01234"))
        self.assertEqual([bool(answer.error_message) for answer in answers],
                         [False, False, False, True, False])
        self.assertTrue(
            answers[0].infer_response.parameters["triton_final_response"].bool_param)

    def test_classification(self):
        request = self.request()
        output = pb.ModelInferRequest().InferRequestedOutputTensor()
        output.name = self.output
        output.parameters["classification"].int64_param = 3
        request.outputs.extend([output])
        response = self.stub.ModelInfer(request)
        self.assertEqual(response.outputs[0].datatype, "BYTES")
        self.assertEqual(list(response.outputs[0].shape), [2, 3])
        wanted = [[int(i) for i in np.argsort(-row, kind="stable")[:3]] for row in self.logits()]
        found = [text.split(":") for text in texts(response.raw_output_contents[0])]
        self.assertEqual([int(text[1]) for text in found], wanted[0] + wanted[1])
        np.testing.assert_allclose([float(text[0]) for text in found[:3]],
                                   self.logits()[0][wanted[0]], atol=1e-3)

    def test_statistics_and_index(self):
        self.logits()
        one = self.stub.ModelStatistics(pb.ModelStatisticsRequest(name="mnist", version=""))
        self.assertGreater(one.model_stats[0].inference_count, 0)
        index = self.stub.RepositoryIndex(pb.RepositoryIndexRequest())
        self.assertEqual({(model.name, model.state) for model in index.models},
                         {("mnist", "READY"), ("typed", "READY")})

    def test_load_and_unload(self):
        request = pb.RepositoryModelUnloadRequest(model_name="typed")
        request.parameters["unload_dependents"].bool_param = False
        self.admin.RepositoryModelUnload(request)
        self.assertFalse(
            self.stub.ModelReady(pb.ModelReadyRequest(name="typed", version="")).ready)
        self.admin.RepositoryModelLoad(pb.RepositoryModelLoadRequest(model_name="typed"))
        self.assertTrue(
            self.stub.ModelReady(pb.ModelReadyRequest(name="typed", version="")).ready)
        with_config = pb.RepositoryModelLoadRequest(model_name="typed")
        with_config.parameters["config"].string_param = "{}"
        with_config.parameters["file:1/model.onnx"].bytes_param = b"x"
        self.assert_refused(grpc.StatusCode.UNIMPLEMENTED, "parameter",
                            lambda: self.admin.RepositoryModelLoad(with_config))

    def test_trace_settings(self):
        settings = self.stub.TraceSetting(pb.TraceSettingRequest()).settings
        self.assertEqual(list(settings["trace_level"].value), ["OFF"])
        update = pb.TraceSettingRequest()
        update.model_name = "mnist"
        update.settings["trace_level"].value.extend(["OFF"])
        update.settings["trace_rate"]  # None: back to the default
        self.stub.TraceSetting(update)
        update.settings["trace_level"].value[:] = ["TIMESTAMPS", "TENSORS"]
        self.assert_refused(grpc.StatusCode.UNIMPLEMENTED, "no traces are written",
                            lambda: self.stub.TraceSetting(update))

    def test_log_settings(self):
        settings = self.stub.LogSettings(pb.LogSettingsRequest()).settings
        self.assertTrue(settings["log_error"].bool_param)
        update = pb.LogSettingsRequest()
        update.settings["log_verbose_level"].uint32_param = 1
        update.settings["log_info"].bool_param = True
        self.assertEqual(
            self.admin.LogSettings(update).settings["log_verbose_level"].uint32_param, 1)

    def test_system_shared_memory(self):
        self.stub.SystemSharedMemoryUnregister(pb.SystemSharedMemoryUnregisterRequest())
        self.stub.CudaSharedMemoryUnregister(pb.CudaSharedMemoryUnregisterRequest())
        # Python 3.11 has no other way to keep its resource tracker from complaining: both are
        # unlinked here.
        inputs = shared_memory.SharedMemory(create=True, size=self.images.nbytes)
        outputs = shared_memory.SharedMemory(create=True, size=128)
        try:
            inputs.buf[:self.images.nbytes] = self.images.tobytes()
            for name, region in (("in", inputs), ("out", outputs)):
                self.stub.SystemSharedMemoryRegister(pb.SystemSharedMemoryRegisterRequest(
                    name=name, key=region.name, offset=0, byte_size=region.size))
            status = self.stub.SystemSharedMemoryStatus(
                pb.SystemSharedMemoryStatusRequest(name=""))
            self.assertEqual(set(status.regions), {"in", "out"})
            request = self.request(raw=False)
            parameters = request.inputs[0].parameters
            parameters["shared_memory_region"].string_param = "in"
            parameters["shared_memory_byte_size"].int64_param = self.images.nbytes
            output = request.outputs.add(name=self.output)
            output.parameters["shared_memory_region"].string_param = "out"
            output.parameters["shared_memory_byte_size"].int64_param = 80
            output.parameters["shared_memory_offset"].int64_param = 16
            response = self.stub.ModelInfer(request)
            self.assertEqual(list(response.raw_output_contents), [b""])
            # As tritonclient's users read it: size and shape from the answer.
            described = response.outputs[0]
            size = described.parameters["shared_memory_byte_size"].int64_param
            logits = np.frombuffer(bytes(outputs.buf[16:16 + size]), "<f4")
            np.testing.assert_allclose(logits.reshape(described.shape), self.logits(), rtol=1e-4,
                                       atol=1e-4)
            self.stub.SystemSharedMemoryUnregister(
                pb.SystemSharedMemoryUnregisterRequest(name="in"))
            self.assert_refused(grpc.StatusCode.NOT_FOUND, "no shared memory region \"in\"",
                                lambda: self.stub.ModelInfer(request))
            self.stub.SystemSharedMemoryUnregister(
                pb.SystemSharedMemoryUnregisterRequest(name=""))
            self.assertFalse(self.stub.SystemSharedMemoryStatus(
                pb.SystemSharedMemoryStatusRequest(name="")).regions)
        finally:
            for region in (inputs, outputs):
                region.close()
                region.unlink()

    def test_cuda_shared_memory(self):
        self.assertFalse(self.stub.CudaSharedMemoryStatus(
            pb.CudaSharedMemoryStatusRequest(name="")).regions)
        request = pb.CudaSharedMemoryRegisterRequest(name="r", raw_handle=b"x" * 64, device_id=0,
                                                     byte_size=64)
        self.assert_refused(grpc.StatusCode.UNIMPLEMENTED, "CUDA shared memory is not served",
                            lambda: self.stub.CudaSharedMemoryRegister(request))


if __name__ == "__main__":
    unittest.main()
