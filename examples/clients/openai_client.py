"""The openai package of Python against a router: models, an answer, a stream, embeddings, tools, and an error.

    pip install openai
    python openai_client.py                      # against `npm run demo`
    BASE_URL=https://llm.example.org/v1 API_KEY=… MODEL=llama python openai_client.py

Prints what comes, and exits with 1 when something is not as it should be.
"""

import os

import openai

BASE_URL = os.environ.get("BASE_URL", "http://127.0.0.1:8001/v1")
MODEL = os.environ.get("MODEL", "demo-small")

client = openai.OpenAI(
    base_url=BASE_URL,
    # The package wants a key; a router without --api-key-file hands it on to the engine, and an open engine asks for none.
    api_key=os.environ.get("API_KEY", "none"),
    # The router tries other engines by itself. What it refuses all the same the client tries again, after its Retry-After.
    max_retries=2,
)

# Of use with `--routing-logic session --session-key x-user-id`; prefixaware needs no header.
SESSION = {"x-user-id": "ada"}


def models() -> None:
    names = [model.id for model in client.models.list()]
    print("models:", ", ".join(names))
    assert MODEL in names, f"{MODEL} is not served"


def answer() -> None:
    # with_raw_response gives the headers too: the id is the one in the router's log and traces.
    raw = client.chat.completions.with_raw_response.create(
        model=MODEL,
        messages=[{"role": "user", "content": "Hello"}],
        max_tokens=16,
        # The router may take less than its own --total-timeout for this request; it ends in a 504 then.
        extra_headers={**SESSION, "x-request-timeout-ms": "30000"},
    )
    completion = raw.parse()
    print(f"answer {raw.headers['x-request-id']}:", completion.choices[0].message.content)
    assert completion.usage is not None and completion.usage.completion_tokens > 0


def stream() -> None:
    pieces, usage = [], None
    with client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": "Hello"}],
        max_tokens=16,
        stream=True,
        # Lets the router count tokens, and prefixaware learn how much of the prompt was cached.
        stream_options={"include_usage": True},
        extra_headers=SESSION,
    ) as chunks:
        for chunk in chunks:
            if chunk.choices and chunk.choices[0].delta.content:
                pieces.append(chunk.choices[0].delta.content)
            usage = chunk.usage or usage
    print("stream:", "".join(pieces))
    assert pieces and usage is not None


def embeddings() -> None:
    vectors = client.embeddings.create(model=MODEL, input=["one", "two"]).data
    print("embeddings:", len(vectors), "of", len(vectors[0].embedding), "numbers")
    assert len(vectors) == 2


def tools() -> None:
    completion = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": "How is the weather in Oslo?"}],
        max_tokens=64,
        tools=[
            {
                "type": "function",
                "function": {
                    "name": "weather",
                    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
                },
            }
        ],
    )
    message = completion.choices[0].message
    # The demo's engines have no model: they answer in words where a real one may call the tool.
    print("tools:", message.tool_calls or message.content)
    assert message.tool_calls or message.content


def error() -> None:
    try:
        client.chat.completions.create(model="no-such-model", messages=[{"role": "user", "content": "Hello"}])
    except openai.NotFoundError as refused:
        print("error:", refused.status_code, refused.code, "-", refused.body["message"])
        assert refused.code == "model_not_found"
    else:
        raise AssertionError("a model that nobody serves was answered")


if __name__ == "__main__":
    for part in (models, answer, stream, embeddings, tools, error):
        part()
