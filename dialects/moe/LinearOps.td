//===- LinearOps.td - Products with weights -------------------------------------------------------===//

def Moe_LinearOp : Moe_Op<"linear"> {
  let summary = "Product with a weight, as torch's nn.Linear";
  let description = [{
    result[t, n] = sum over k of x[t, k] * weight[n, k], plus bias[n].

    How `x` and `weight` are encoded says which arithmetic computes it; the order of accumulation
    belongs to the pair of encodings.

    ```mlir
    %y = moe.linear %x, %w : tensor<?x96xf32>, tensor<32x96xbf16> -> tensor<?x32xf32>
    %z = moe.linear %x, %w + %b : tensor<?x96xf32>, tensor<32x96xbf16>, tensor<32xf32> -> tensor<?x32xf32>
    ```

    Constraints:
    * (C1) The weight's columns are the width of `x`.
    * (C2) The result has the rows of `x` and is as wide as the weight has rows.
    * (C3) The bias is as long as the weight has rows.
    * (C4) An encoded `x` has an encoding for activations. The weight of `#moe.block<int8>` rows has a
      block encoding for weights (of `#moe.block<int8, N>` one whose scales are for a multiple of N
      columns), that of `#moe.rows<bf16>` is of bf16 and has none.
    * (C5) The result has no encoding.
  }];
  let arguments = (ins Moe_Rows:$x, Moe_Matrix:$weight, Optional<Moe_Vector>:$bias);
  let results = (outs Moe_Rows:$result);
  let assemblyFormat = [{
    $x `,` $weight (`+` $bias^)? attr-dict
    `:` type($x) `,` type($weight) (`,` type($bias)^)? `->` type($result)
  }];
  let hasVerifier = 1;
}

def Moe_Activation : I32EnumAttr<"Activation", "An activation function", [
    I32EnumAttrCase<"Silu", 0, "silu">,
    I32EnumAttrCase<"Sigmoid", 1, "sigmoid">]> {
  let cppNamespace = "::mlir::moe";
}

def Moe_GateOp : Moe_Op<"gate", [AllTypesMatch<["up", "result"]>]> {
  let summary = "An activated gate times a value, element by element";
  let description = [{
    result = f(gate) * up; silu(z) = z / (1 + exp(-z)), sigmoid(z) = 1 / (1 + exp(-z)).

    A gate of width 1 is the same for its whole row: result[t, j] = f(gate[t, 0]) * up[t, j].

    ```mlir
    %y = moe.gate silu %g, %u : tensor<?x100xf32>
    %z = moe.gate sigmoid %s, %u : tensor<?x1xf32>, tensor<?x100xf32>
    ```

    Constraints:
    * (C1) The gate has the rows of `up`.
    * (C2) The gate is as wide as `up`, or 1 wide.
  }];
  let arguments = (ins Moe_Activation:$activation, Moe_PlainRows:$gate, Moe_PlainRows:$up);
  let results = (outs Moe_PlainRows:$result);
  let assemblyFormat = [{
    $activation $gate `,` $up attr-dict `:` custom<GateTypes>(type($gate), type($up))
  }];
  let hasVerifier = 1;
}

def Moe_GatedLinearOp : Moe_Op<"gated_linear"> {
  let summary = "The first half of a gated FFN in one product";
  let description = [{
    The weight's rows are [gate | up], F of each: result[t, n] =
    f(x[t, :] . weight[n, :]) * (x[t, :] . weight[F + n, :]), f as in `moe.gate`.

    ```mlir
    %y = moe.gated_linear silu %x, %w : tensor<?x96xf32>, tensor<200x96xbf16> -> tensor<?x100xf32>
    ```

    Constraints:
    * (C1) The weight's columns are the width of `x`.
    * (C2) The result has the rows of `x` and half as many columns as the weight has rows.
    * (C3) An encoded `x` has an encoding for activations. The weight of `#moe.block<int8>` rows has a
      block encoding for weights (of `#moe.block<int8, N>` one whose scales are for a multiple of N
      columns), that of `#moe.rows<bf16>` is of bf16 and has none.
    * (C4) The result has no encoding.
  }];
  let arguments = (ins Moe_Activation:$activation, Moe_Rows:$x, Moe_Matrix:$weight);
  let results = (outs Moe_Rows:$result);
  let assemblyFormat = [{
    $activation $x `,` $weight attr-dict `:` type($x) `,` type($weight) `->` type($result)
  }];
  let hasVerifier = 1;
}
