"""What an application does with the official openai client; prints its results as one JSON object.

usage: openai-client.py BASE_URL MODEL
"""

import json
import sys

import openai

base_url, model = sys.argv[1:3]
client = openai.OpenAI(base_url=base_url, api_key="none", max_retries=0, timeout=60)
messages = [{"role": "user", "content": "w10 w11 w12 w13"}]
fixed = {"max_tokens": 12, "temperature": 0, "extra_body": {"ignore_eos": True}}
results = {}

chat = client.chat.completions.create(model=model, messages=messages, **fixed)
results["chat"] = [chat.choices[0].message.content, chat.choices[0].finish_reason, chat.usage.completion_tokens]

text, usage, finish = "", None, None
stream = client.chat.completions.create(
    model=model, messages=messages, stream=True, stream_options={"include_usage": True}, **fixed
)
for chunk in stream:
    if chunk.choices:
        text += chunk.choices[0].delta.content or ""
        finish = chunk.choices[0].finish_reason or finish
    if chunk.usage:
        usage = chunk.usage.completion_tokens
results["streamed chat"] = [text, finish, usage]

completion = client.completions.create(model=model, prompt="w10 w11 w12", **fixed)
results["completion"] = [completion.choices[0].text, completion.usage.completion_tokens]

text = ""
for chunk in client.completions.create(model=model, prompt="w10 w11 w12", stream=True, **fixed):
    text += chunk.choices[0].text
results["streamed completion"] = [text]

try:
    client.embeddings.create(model=model, input="w10")
    results["embeddings error"] = ["no error"]
except openai.APIStatusError as error:
    results["embeddings error"] = [type(error).__name__, error.status_code, error.body]

try:
    client.chat.completions.create(model="no-such-model", messages=messages)
    results["unknown model"] = ["no error"]
except openai.APIStatusError as error:
    results["unknown model"] = [type(error).__name__, error.status_code]

results["models"] = [card.id for card in client.models.list() if card.id == model]
try:
    results["model"] = [client.models.retrieve(model).id]
except openai.APIStatusError as error:
    results["model"] = [type(error).__name__, error.status_code]
print(json.dumps(results))
