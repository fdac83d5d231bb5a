"""LangChain against a router: an answer, a stream, a batch, and embeddings.

    pip install langchain-openai
    python langchain_client.py                   # against `npm run demo`
    BASE_URL=https://llm.example.org/v1 API_KEY=… MODEL=llama python langchain_client.py
"""

import os

from langchain_openai import ChatOpenAI, OpenAIEmbeddings

place = {
    "base_url": os.environ.get("BASE_URL", "http://127.0.0.1:8001/v1"),
    "api_key": os.environ.get("API_KEY", "none"),
    "model": os.environ.get("MODEL", "demo-small"),
}

# Headers go with every request: a session, or a priority for a router with --ttft-target.
chat = ChatOpenAI(**place, max_tokens=16, stream_usage=True, default_headers={"x-user-id": "ada", "x-vllm-priority": "5"})

answer = chat.invoke("Hello")
print("answer:", answer.content, answer.usage_metadata)
assert answer.content and answer.usage_metadata["output_tokens"] > 0

pieces = [chunk.content for chunk in chat.stream("Hello") if chunk.content]
print("stream:", "".join(pieces))
assert pieces

# Requests of a batch are sent at once, and spread over the engines.
answers = chat.batch(["Hello"] * 4)
print("batch:", len(answers), "answers")
assert all(one.content for one in answers)

# check_embedding_ctx_length would send token ids of OpenAI's tokenizer, which are not those of the model.
vectors = OpenAIEmbeddings(**place, check_embedding_ctx_length=False).embed_documents(["one", "two"])
print("embeddings:", len(vectors), "of", len(vectors[0]), "numbers")
assert len(vectors) == 2
