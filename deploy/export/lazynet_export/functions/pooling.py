"""Pools as functions."""
from ..arguments import per_axis, refuse, same_as_kernel
from ..modules.pooling import output_size
from ..registry import function, given


def register_max(n):
    @function(f"F.max_pool{n}d", f"torch.max_pool{n}d")
    def max_pool(c, input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False,
                 return_indices=False):
        refuse("return_indices", return_indices, False)
        return c.layer(f"max_pool{n}d", [input], {
            "kernel_size": per_axis(kernel_size), "stride": same_as_kernel(stride, kernel_size),
            "padding": per_axis(padding, 0), "dilation": per_axis(dilation, 1),
            "ceil_mode": given(bool(ceil_mode), False)}, rank=c.rank(input))


def register_avg(n):
    @function(f"F.avg_pool{n}d", *(["torch.avg_pool1d"] if n == 1 else []))
    def avg_pool(c, input, kernel_size, stride=None, padding=0, ceil_mode=False,
                 count_include_pad=True, divisor_override=None):
        return c.layer(f"avg_pool{n}d", [input], {
            "kernel_size": per_axis(kernel_size), "stride": same_as_kernel(stride, kernel_size),
            "padding": per_axis(padding, 0), "ceil_mode": given(bool(ceil_mode), False),
            "count_include_pad": given(bool(count_include_pad), True),
            "divisor_override": divisor_override}, rank=c.rank(input))


def register_adaptive(n, kind):
    names = [f"F.adaptive_{kind}_pool{n}d"]
    if n == 1:
        names.append(f"torch.adaptive_{kind}_pool1d")

    @function(*names)
    def adaptive_pool(c, input, output_size, return_indices=False):
        refuse("return_indices", return_indices, False)
        return c.layer(f"adaptive_{kind}_pool{n}d", [input],
                       {"output_size": sizes_of(output_size)}, rank=c.rank(input))


sizes_of = output_size
for n in (1, 2, 3):
    register_max(n)
    register_avg(n)
    register_adaptive(n, "avg")
    register_adaptive(n, "max")


def register_lp(n):
    @function(f"F.lp_pool{n}d")
    def lp_pool(c, input, norm_type, kernel_size, stride=None, ceil_mode=False):
        return c.layer(f"lp_pool{n}d", [input], {
            "norm_type": float(norm_type), "kernel_size": per_axis(kernel_size),
            "stride": same_as_kernel(stride, kernel_size),
            "ceil_mode": given(bool(ceil_mode), False)}, rank=c.rank(input))


register_lp(1)
register_lp(2)
