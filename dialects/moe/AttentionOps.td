//===- AttentionOps.td - Key/value states and attention -------------------------------------------===//

def Moe_KvAppendOp : Moe_Op<"kv_append", [AllTypesMatch<["state", "result"]>]> {
  let summary = "Writes the keys or values of this step into a state";
  let description = [{
    result = state, except result[layer, slots[t], positions[t], h, :] = values[t, h * D .. (h+1) * D)
    rounded to the state's storage, for every token t and head h, D = head dim: to f16 or bf16 to
    nearest, ties to even, and a NaN stays one; to `#moe.int8_rows` as that encoding says.
    After that only the result may be used: codegen updates the state in place.

    ```mlir
    %k1 = moe.kv_append %k into %state[%layer] at %slots, %positions
      : tensor<?x32xf32>, tensor<3x?x?x2x16xf16>, tensor<?xi32>, tensor<?xi32>
    %v1 = moe.kv_append %v into %values[%layer] at %slots, %positions
      : tensor<?x32xf32>, tensor<3x?x?x2x16xf32, #moe.int8_rows>, tensor<?xi32>, tensor<?xi32>
    ```

    Constraints:
    * (C1) The width of `values` is heads times head dim of the state.
    * (C2) There are as many slots and positions as rows of `values`.
    * (C3) Every other use of the state comes before, in the same block.
  }];
  let arguments = (ins Moe_PlainRows:$values, Moe_State:$state, Index:$layer, Moe_Ids:$slots,
                       Moe_Ids:$positions);
  let results = (outs Moe_State:$result);
  let assemblyFormat = [{
    $values `into` $state `[` $layer `]` `at` $slots `,` $positions attr-dict
    `:` type($values) `,` type($state) `,` type($slots) `,` type($positions)
  }];
  let hasVerifier = 1;
}

def Moe_AttentionOp : Moe_Op<"attention", [AllTypesMatch<["queries", "result"]>, AllTypesMatch<["keys", "values"]>]> {
  let summary = "Causal attention of this step's queries over a key and a value state";
  let description = [{
    Query head j of token t attends, in slot slots[t], to the positions p with p <= positions[t] and,
    with a `window` W, p > positions[t] - W, of KV head j / (heads / KV heads):
    result[t, j] = sum over p of softmax_p(scale * q[t, j] . keys[p]) * values[p], softmax in f32.

    ```mlir
    %o = moe.attention %q, %k, %v[%layer] at %slots, %positions {scale = 2.5e-1 : f64}
      : tensor<?x96xf32>, tensor<3x?x?x2x16xf16>, tensor<?xi32>, tensor<?xi32>
    ```

    Constraints:
    * (C1) The width of `queries` is a multiple of the state's KV heads times head dim.
    * (C2) There are as many slots and positions as rows of `queries`.
    * (C3) `window`, if given, is positive.
  }];
  let arguments = (ins Moe_PlainRows:$queries, Moe_State:$keys, Moe_State:$values, Index:$layer,
                       Moe_Ids:$slots, Moe_Ids:$positions, F64Attr:$scale,
                       OptionalAttr<I64Attr>:$window);
  let results = (outs Moe_PlainRows:$result);
  let assemblyFormat = [{
    $queries `,` $keys `,` $values `[` $layer `]` `at` $slots `,` $positions attr-dict
    `:` type($queries) `,` type($keys) `,` type($slots) `,` type($positions)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    int64_t getHeadDim() { return getKeys().getType().getDimSize(4); }
    int64_t getKvHeads() { return getKeys().getType().getDimSize(3); }
    int64_t getHeads() { return getQueries().getType().getDimSize(1) / getHeadDim(); }
  }];
}
